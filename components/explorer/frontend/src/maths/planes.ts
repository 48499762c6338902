/** Planes: pictures of the codes in two dimensions, and the way back from a place on them to a code. */

import type { Point } from "./camera";

/** A picture of the codes in two dimensions. `move` is null where the plane cannot be walked (t-SNE, UMAP). */
export interface Plane {
  readonly key: string;
  readonly title: string;
  readonly axes: readonly [string, string];
  /** x, y of each point shown. */
  readonly xy: Float32Array;
  /** Which code each point is; null when point i is code i. */
  readonly index: Int32Array | null;
  place(code: ArrayLike<number>): Point | null;
  /**
   * The code after walking to (x, y): the plane's two components change, the others stay. It is written into `out`,
   * which may be the code itself; without `out` into a new array.
   */
  readonly move: ((code: ArrayLike<number>, x: number, y: number, out?: Float32Array) => Float32Array) | null;
}

/** Two code dimensions, counted from 0. */
export function axisPlane(values: Float32Array, size: number, i: number, j: number): Plane {
  const count = Math.floor(values.length / size);
  let xy = values;
  if (!(size === 2 && i === 0 && j === 1)) {
    xy = new Float32Array(2 * count);
    for (let m = 0; m < count; m++) {
      xy[2 * m] = values[m * size + i];
      xy[2 * m + 1] = i === j ? 0 : values[m * size + j];
    }
  }
  const flat = i === j; // one dimension only: a line of points
  return {
    key: `z${i + 1},z${j + 1}`,
    title: flat ? `z${i + 1}` : `z${i + 1} and z${j + 1}`,
    axes: [`z${i + 1}`, flat ? "" : `z${j + 1}`],
    xy,
    index: null,
    place: (code) => [code[i], flat ? 0 : code[j]],
    move: (code, x, y, out = new Float32Array(code.length)) => {
      out.set(code);
      out[i] = x;
      if (!flat) out[j] = y;
      return out;
    },
  };
}

/** The plane of two orthonormal directions through the mean: position = (code - mean) · components. */
export function linearPlane(
  key: string,
  title: string,
  axes: readonly [string, string],
  xy: Float32Array,
  mean: ArrayLike<number>,
  components: readonly [ArrayLike<number>, ArrayLike<number>],
): Plane {
  const [u, v] = components;
  const along = (code: ArrayLike<number>, w: ArrayLike<number>) => {
    let sum = 0;
    for (let d = 0; d < mean.length; d++) sum += (code[d] - mean[d]) * w[d];
    return sum;
  };
  return {
    key,
    title,
    axes,
    xy,
    index: null,
    place: (code) => [along(code, u), along(code, v)],
    move: (code, x, y, out = new Float32Array(code.length)) => {
      const dx = x - along(code, u),
        dy = y - along(code, v);
      for (let d = 0; d < mean.length; d++) out[d] = code[d] + dx * u[d] + dy * v[d];
      return out;
    },
  };
}

/** (code - mean) · componentsᵀ for many codes at once: x, y, x, y, … */
export function project(
  values: Float32Array,
  size: number,
  mean: ArrayLike<number>,
  components: readonly [ArrayLike<number>, ArrayLike<number>],
): Float32Array {
  const count = Math.floor(values.length / size);
  const out = new Float32Array(2 * count);
  for (let m = 0; m < count; m++) {
    let x = 0,
      y = 0;
    for (let d = 0; d < size; d++) {
      const c = values[m * size + d] - mean[d];
      x += c * components[0][d];
      y += c * components[1][d];
    }
    out[2 * m] = x;
    out[2 * m + 1] = y;
  }
  return out;
}
