/** The marker and the rings around the nearest samples: small elements that only move, so that nothing is painted. */

import type { Colouring } from "./colouring";
import { h } from "./dom";
import type { PointMap } from "./map/map";
import type { Point } from "./maths";
import type { Places } from "./places";
import type { Side } from "./panels/side";
import { NEIGHBOURS } from "./panels/sample";
import type { State } from "./state";

export class Marks {
  readonly marker = h("i", { class: "hg-marker", aria: { hidden: "true" } });
  private readonly rings = Array.from({ length: NEIGHBOURS }, () =>
    h("i", { class: "hg-ring", aria: { hidden: "true" }, hidden: true }),
  );
  readonly elements: readonly HTMLElement[];

  /** `note` stands at the marker. `hasRings` says whether the nearest samples are marked: rings would clutter what some tools draw. */
  constructor(
    private readonly map: PointMap,
    private readonly state: State,
    private readonly places: Places,
    private readonly side: Side,
    private readonly colouring: Colouring,
    private readonly note: HTMLElement,
    private readonly hasRings: () => boolean,
  ) {
    this.elements = [...this.rings, this.marker, note];
  }

  /** The sample that ring `i` marks: one of the nearest, or the one that a hand on another map is at; -1 for none. */
  private ringed(i: number): number {
    const { led } = this.state.now;
    if (led) return i === 0 ? led.sample : -1;
    return this.hasRings() ? (this.side.nearest[i]?.index ?? -1) : -1;
  }

  private ringPlace(i: number): Point | null {
    const sample = this.ringed(i);
    return sample < 0 ? null : this.places.pixelOfSample(sample);
  }

  /** Where the marker is; null where it has no place. */
  private get at(): Point | null {
    return this.state.now.led?.away ? null : this.places.marker;
  }

  /** Moves the elements to where they belong. */
  readonly place = (): void => {
    this.rings.forEach((ring, i) => {
      const at = this.ringPlace(i);
      ring.hidden = !at;
      if (!at) return;
      ring.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
      ring.style.borderColor = this.colouring.cssOf(this.ringed(i));
    });
    const { at } = this;
    this.marker.hidden = !at;
    if (at) this.marker.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    if (at && !this.note.hidden) this.placeNote(at);
    this.marker.classList.toggle("hg-far", this.side.far);
    this.marker.classList.toggle("hg-pinned", this.state.now.pinned);
  };

  /** Above the marker, or below it where there is no space, and never beyond the map's sides. */
  private placeNote([x, y]: Point): void {
    const { width } = this.map.camera;
    const half = this.note.offsetWidth / 2,
      above = y - this.note.offsetHeight - 20;
    const left = Math.max(half + 4, Math.min(width - half - 4, x)) - half;
    this.note.style.transform = `translate(${left}px, ${above > 4 ? above : y + 20}px)`;
  }

  /** Draws the same, for a picture that is saved. */
  readonly draw = (context: CanvasRenderingContext2D): void => {
    const { ink } = this.map;
    this.rings.forEach((_, i) => {
      const at = this.ringPlace(i);
      if (!at) return;
      circle(context, at, 6, ink.paper, 3);
      circle(context, at, 6, this.colouring.cssOf(this.ringed(i)), 1.5);
    });
    const { at } = this;
    if (!at) return;
    circle(context, at, 11, ink.paper, 5);
    circle(context, at, 11, ink.text, 2);
  };
}

function circle(context: CanvasRenderingContext2D, at: Point, radius: number, colour: string, width: number): void {
  context.beginPath();
  context.arc(at[0], at[1], radius, 0, 7);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}
