/** Where codes are on the map, and which code a place stands for. */

import type { RunData } from "./data";
import type { PointMap } from "./map/map";
import { finder, fromPixel, toPixel, type Finder, type Plane, type Point } from "./maths";
import type { State } from "./state";

/** A code, and the sample whose code it is exactly, if any. */
export interface Target {
  readonly code: Float32Array;
  readonly picked: number | null;
}

export class Places {
  plane: Plane;
  private finder: Finder | null = null;
  /** Written anew by each question: a pointer asks at every move. */
  private readonly target: { code: Float32Array; picked: number | null };

  constructor(
    private readonly data: RunData,
    private readonly state: State,
    private readonly map: PointMap,
    private readonly isVisible: (index: number) => boolean,
  ) {
    this.plane = data.planeOf(state.now.plane);
    this.target = { code: new Float32Array(data.card.codes.size), picked: null };
  }

  setPlane(plane: Plane): void {
    this.plane = plane;
    this.finder = plane.move ? null : finder(plane.xy, 2);
  }

  /** Which code point `p` of the plane is. */
  sampleOf(p: number): number {
    return this.plane.index ? this.plane.index[p] : p;
  }

  private readonly isPointVisible = (p: number): boolean => this.isVisible(this.sampleOf(p));

  private at(index: number): Target {
    this.target.code.set(this.codeView(index));
    this.target.picked = index;
    return this.target;
  }

  /**
   * The code at a place of the map in pixels; on a plane without a way back, the sample nearest to the place. What is
   * returned holds until the next question.
   */
  codeAt(px: number, py: number): Target | null {
    const { plane, target } = this;
    const [x, y] = fromPixel(this.map.camera, px, py);
    if (plane.move) {
      plane.move(this.state.now.code, x, y, target.code);
      target.picked = null;
      return target;
    }
    const point = this.finder?.nearest([x, y], 1, this.isPointVisible)[0];
    return point ? this.at(this.sampleOf(point.index)) : null;
  }

  /** Where a code, or a stored sample, is on the map in pixels. */
  pixelOf(code: ArrayLike<number>, sample: number | null = null): Point | null {
    const { plane, map } = this;
    const place = plane.place(code);
    if (place) return toPixel(map.camera, place[0], place[1]);
    if (sample === null) return null;
    const p = plane.index ? plane.index.indexOf(sample) : sample;
    return p < 0 ? null : toPixel(map.camera, plane.xy[2 * p], plane.xy[2 * p + 1]);
  }

  pixelOfSample(index: number): Point | null {
    return this.pixelOf(this.codeView(index), index);
  }

  /** The stored numbers themselves, not a copy. */
  private codeView(index: number): Float32Array {
    const { size } = this.data.card.codes;
    return this.data.codes.subarray(index * size, (index + 1) * size);
  }

  /** Where the code that is shown is on the map in pixels. */
  get marker(): Point | null {
    return this.pixelOf(this.state.now.code, this.state.now.picked);
  }

  /** The nearest sample from a place in the direction of an arrow (both in pixels). */
  nextSample(from: Point, arrow: Point): Target | null {
    const { xy } = this.plane;
    const length = Math.hypot(arrow[0], arrow[1]);
    let best = -1,
      least = Infinity;
    for (let p = 0; 2 * p < xy.length; p++) {
      if (!this.isPointVisible(p)) continue;
      const [x, y] = toPixel(this.map.camera, xy[2 * p], xy[2 * p + 1]);
      const ahead = ((x - from[0]) * arrow[0] + (y - from[1]) * arrow[1]) / length;
      if (ahead < Math.max(1, length / 4)) continue;
      const aside = Math.abs((x - from[0]) * arrow[1] - (y - from[1]) * arrow[0]) / length;
      const cost = Math.abs(ahead - length) + 2 * aside;
      if (cost < least) [best, least] = [p, cost];
    }
    return best < 0 ? null : this.at(this.sampleOf(best));
  }
}
