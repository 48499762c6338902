/** Values on a grid: counts of points, smoothed ones, the stretch of a decoder, pixels. */

import type { Extent } from "./camera";

/** Points counted on a grid of columns x rows over an extent (row 0 at the bottom), only those that are accepted. */
export function countOnGrid(
  xy: Float32Array,
  [x0, x1, y0, y1]: Extent,
  columns: number,
  rows: number,
  accepts: (i: number) => boolean = () => true,
): Float32Array {
  const out = new Float32Array(columns * rows);
  const kx = columns / (x1 - x0),
    ky = rows / (y1 - y0);
  for (let i = 0; 2 * i < xy.length; i++) {
    const column = Math.floor((xy[2 * i] - x0) * kx),
      row = Math.floor((xy[2 * i + 1] - y0) * ky);
    if (column >= 0 && column < columns && row >= 0 && row < rows && accepts(i)) out[row * columns + column]++;
  }
  return out;
}

/** A grid smoothed by three passes of a box, which is a Gaussian to the eye at a fraction of its cost. */
export function blur(grid: Float32Array, columns: number, rows: number, radius: number): Float32Array {
  let from = Float32Array.from(grid),
    to = new Float32Array(grid.length);
  const pass = (outer: number, inner: number, stepOuter: number, stepInner: number) => {
    const norm = 1 / (2 * radius + 1);
    for (let o = 0; o < outer; o++) {
      let sum = 0;
      const at = (i: number) => (i >= 0 && i < inner ? from[o * stepOuter + i * stepInner] : 0);
      for (let i = -radius; i <= radius; i++) sum += at(i);
      for (let i = 0; i < inner; i++) {
        to[o * stepOuter + i * stepInner] = sum * norm;
        sum += at(i + radius + 1) - at(i - radius);
      }
    }
    [from, to] = [to, from];
  };
  for (let k = 0; k < 3; k++) {
    pass(rows, columns, columns, 1);
    pass(columns, rows, 1, columns);
  }
  return from;
}

/**
 * How fast the sample changes with the code: the Frobenius norm of the decoder's Jacobian in the plane, by
 * differences between neighbours of a lattice of (columns+1) x (rows+1) decoded samples `dx`, `dy` apart.
 */
export function stretch(
  samples: Float32Array,
  size: number,
  columns: number,
  rows: number,
  dx: number,
  dy: number,
): Float32Array {
  const out = new Float32Array(columns * rows);
  const across = columns + 1;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = (row * across + column) * size,
        right = at + size,
        up = at + across * size;
      let sx = 0,
        sy = 0;
      for (let k = 0; k < size; k++) {
        sx += (samples[right + k] - samples[at + k]) ** 2;
        sy += (samples[up + k] - samples[at + k]) ** 2;
      }
      out[row * columns + column] = Math.sqrt(sx / (dx * dx) + sy / (dy * dy));
    }
  return out;
}

/** An image (h, w, C) drawn larger, (H, W, C): each pixel takes the value of the one it lies in. */
export function enlarged(values: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  const [h, w, channels] = from;
  const [height, width] = to;
  const out = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * h) / height) * w;
    for (let x = 0; x < width; x++) {
      const at = (row + Math.floor((x * w) / width)) * channels;
      for (let channel = 0; channel < channels; channel++)
        out[(y * width + x) * channels + channel] = values[at + channel];
    }
  }
  return out;
}
