/** What tools, layers and panels see of an explorer, instead of all of it. */

import type { About } from "./about";
import type { RunCard } from "./card";
import type { Cause } from "./cause";
import type { Colouring } from "./colouring";
import type { RunData } from "./data";
import type { Decoding } from "./decoding";
import type { Announcer } from "./dom";
import type { PointMap } from "./map/map";
import type { Neighbour } from "./maths";
import type { Painter } from "./paint";
import type { Places } from "./places";
import type { State } from "./state";
import type { Again } from "./learning/again";
import type { Reporter } from "./view";

export interface Context {
  readonly card: RunCard;
  /** What the host knows of the run beside its folder, in words. */
  readonly about: About;
  /** Codes, labels and originals. */
  readonly data: RunData;
  /** What is shown. `state.set("pinned", true)` holds the code where it is. */
  readonly state: State;
  readonly map: Pick<PointMap, "camera" | "count" | "ink" | "redraw">;
  /** The plane that is shown; which code a place on the map stands for, and where a code is on it. */
  readonly places: Pick<Places, "plane" | "marker" | "codeAt" | "pixelOf">;
  /** Which samples are visible, the colours of classes, and other points on the map in place of the plane's. */
  readonly colouring: Pick<Colouring, "isVisible" | "colourOf" | "showPoints" | "inks">;
  /** The decoder, null until it has arrived, or what answers in its place; the encoder; many codes at once; pictures of what
   * is decoded. */
  readonly decoding: Pick<Decoding, "asked" | "decoder" | "encoder" | "many" | "paint" | "ready">;
  /** Sends the host what it wants to know: a code that was released, a selection that was made or removed. */
  readonly reporter: Pick<Reporter, "code" | "selection">;
  /** Paints samples on small canvases. */
  readonly painter: Painter;
  /** Text for screen readers. */
  readonly announcer: Pick<Announcer, "say">;
  /** The samples nearest to the code, nearest first. */
  readonly nearest: readonly Neighbour[];
  /** Training here, in the browser; null where that is not offered. */
  readonly again: Again | null;
  /** Whether the person prefers that nothing moves by itself. */
  readonly reducedMotion: boolean;

  /** Show this code. `picked` is the sample whose code it is exactly, if any. */
  setCode(code: ArrayLike<number>, cause: Cause, picked?: number | null): void;
  /** Show a sample, and hold it. */
  goTo(index: number): void;
}
