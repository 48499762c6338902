/** What all tools are: ways of using the map. Each owns its panel and what it draws above the points. */

import type { Cause } from "../cause";
import type { Context } from "../context";
import type { Point } from "../maths";

export abstract class Tool {
  /** Its name in addresses and in the state. */
  abstract readonly id: string;
  /** What its button says, and a sentence about it. */
  abstract readonly title: string;
  abstract readonly help: string;
  readonly panel: HTMLElement | null = null;
  /** Whether rings mark the nearest samples; they would clutter what some tools draw. */
  readonly hasRings: boolean = true;
  /** Whether it sends something through the encoder, so that the whole way from picture to picture is gone. */
  readonly encodes: boolean = false;
  /** Whether it shows the samples that are selected. */
  readonly showsSelection: boolean = false;

  /** Whether the layer that is chosen is drawn: it belongs to the finished network. */
  readonly showsLayer: boolean = true;

  constructor(protected readonly context: Context) {}

  /** Whether it can be used with this run. */
  get possible(): boolean {
    return true;
  }

  /** Whether it has anything to draw above the points now. */
  get draws(): boolean {
    return false;
  }

  /** Whether the code follows a pointer that only passes. */
  get follows(): boolean {
    return true;
  }

  /** A pointer passes: the code follows unless a person holds it where it is. */
  hover(at: Point, cause: Cause): void {
    if (this.follows && !this.context.state.now.pinned) this.follow(at, cause);
  }

  protected follow(at: Point, cause: Cause): void {
    const target = this.context.places.codeAt(at[0], at[1]);
    if (target) this.context.setCode(target.code, cause, target.picked);
  }

  /** A pointer is pressed, dragged and released; places are in pixels of the map. */
  abstract down(at: Point, cause: Cause): void;
  abstract drag(at: Point, cause: Cause): void;
  abstract up(at: Point, moved: boolean, cause: Cause): void;
  /** It is taken in hand, and put aside. */
  open?(): void;
  close?(): void;
  /** The explorer ends. */
  leave?(): void;
  /** What was begun is not meant: a second finger came. */
  cancel?(): void;
  /** True where the key was for this tool. */
  key?(key: string, cause: Cause): boolean;
  /** Draws above the points, in pixels of the map. */
  draw?(pixels: CanvasRenderingContext2D): void;
  planeChanged?(): void;
  /** The originals are here. */
  originalsArrived?(): void;
  /** The code has been decoded. */
  decoded?(values: Float32Array): void;
}
