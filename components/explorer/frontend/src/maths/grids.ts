/** Values on a grid: counts of points, smoothed ones, the stretch of a decoder, pixels. */

import type { Extent } from "./camera";

/** Points counted on a grid of columns x lines over an extent (line 0 at the bottom), only those that `take` accepts. */
export function bin(
  xy: Float32Array,
  [x0, x1, y0, y1]: Extent,
  columns: number,
  lines: number,
  take: (i: number) => boolean = () => true,
): Float32Array {
  const out = new Float32Array(columns * lines);
  const kx = columns / (x1 - x0),
    ky = lines / (y1 - y0);
  for (let i = 0; 2 * i < xy.length; i++) {
    const c = Math.floor((xy[2 * i] - x0) * kx),
      l = Math.floor((xy[2 * i + 1] - y0) * ky);
    if (c >= 0 && c < columns && l >= 0 && l < lines && take(i)) out[l * columns + c]++;
  }
  return out;
}

/** A grid smoothed by three passes of a box, which is a Gaussian to the eye at a fraction of its cost. */
export function blur(grid: Float32Array, columns: number, lines: number, radius: number): Float32Array {
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
    pass(lines, columns, columns, 1);
    pass(columns, lines, 1, columns);
  }
  return from;
}

/**
 * How fast the sample changes with the code: the Frobenius norm of the decoder's Jacobian in the plane, by
 * differences between neighbours of a lattice of (columns+1) x (lines+1) decoded samples `dx`, `dy` apart.
 */
export function stretch(
  samples: Float32Array,
  size: number,
  columns: number,
  lines: number,
  dx: number,
  dy: number,
): Float32Array {
  const out = new Float32Array(columns * lines);
  const wide = columns + 1;
  for (let l = 0; l < lines; l++)
    for (let c = 0; c < columns; c++) {
      const at = (l * wide + c) * size,
        right = at + size,
        up = at + wide * size;
      let sx = 0,
        sy = 0;
      for (let k = 0; k < size; k++) {
        sx += (samples[right + k] - samples[at + k]) ** 2;
        sy += (samples[up + k] - samples[at + k]) ** 2;
      }
      out[l * columns + c] = Math.sqrt(sx / (dx * dx) + sy / (dy * dy));
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
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = values[at + c];
    }
  }
  return out;
}
