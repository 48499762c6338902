/** Which points are inside a polygon. */

import { extentOf } from "./camera";

/** Whether (x, y) is inside a polygon given as x, y, x, y, …; crossings are counted (even-odd). */
export function inside(polygon: ArrayLike<number>, x: number, y: number): boolean {
  let within = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const yi = polygon[i + 1],
      yj = polygon[j + 1];
    if (yi > y !== yj > y && x < ((polygon[j] - polygon[i]) * (y - yi)) / (yj - yi) + polygon[i]) within = !within;
  }
  return within;
}

/**
 * The points of `xy` inside a polygon, by their position in it. `accepts` may refuse points (a hidden class). The edges
 * are sorted into bands of equal height, so that a point meets only those at its own height: of a million points and
 * a hand-drawn shape that is a tenth of the work.
 */
export function pointsInside(
  xy: Float32Array,
  polygon: ArrayLike<number>,
  accepts: (i: number) => boolean = () => true,
): Int32Array {
  const [x0, x1, y0, y1] = extentOf(polygon);
  const bands = Math.max(1, Math.min(256, polygon.length));
  const band = (y: number) => Math.max(0, Math.min(bands - 1, Math.floor(((y - y0) / (y1 - y0 || 1)) * bands)));
  const edges: number[][] = Array.from({ length: bands }, () => []);
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [from, to] = [band(polygon[i + 1]), band(polygon[j + 1])];
    for (let k = Math.min(from, to); k <= Math.max(from, to); k++)
      edges[k].push(polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]);
  }
  const out = new Int32Array(xy.length / 2);
  let n = 0;
  for (let p = 0; 2 * p < xy.length; p++) {
    const x = xy[2 * p],
      y = xy[2 * p + 1];
    if (!(x >= x0 && x <= x1 && y >= y0 && y <= y1)) continue;
    const near = edges[band(y)];
    let within = false;
    for (let e = 0; e < near.length; e += 4) {
      const yi = near[e + 1],
        yj = near[e + 3];
      if (yi > y !== yj > y && x < ((near[e + 2] - near[e]) * (y - yi)) / (yj - yi) + near[e]) within = !within;
    }
    if (within && accepts(p)) out[n++] = p;
  }
  return out.slice(0, n);
}
