/** Moving shows, dragging carries the marker, a click holds it; a click on the held marker lets it go. */

import type { Cause } from "../cause";
import type { Point } from "../maths";
import { Tool } from "./tool";

/** Pixels within which a press is one of the marker: about what a finger covers. */
const REACH = 18;

export class Explore extends Tool {
  readonly id: string = "explore";
  readonly title: string = "Explore";
  readonly help: string =
    "Move over the map to decode; click to hold a place; Shift-drag or right-drag to move the map";

  private onMarker = false;

  down(at: Point, cause: Cause): void {
    const { marker } = this.context.places;
    const { pinned } = this.context.state.now;
    this.onMarker = pinned && marker !== null && Math.hypot(marker[0] - at[0], marker[1] - at[1]) < REACH;
    this.context.state.set("pinned", true);
    if (!this.onMarker) this.follow(at, cause);
  }

  drag(at: Point, cause: Cause): void {
    this.follow(at, cause);
  }

  up(_at: Point, moved: boolean): void {
    this.context.state.set("pinned", !(this.onMarker && !moved));
    if (this.context.state.now.pinned) this.context.reporter.code();
  }
}
