/**
 * The numbers of small networks, in AssemblyScript: what src/network/plain.ts does, four values at a time.
 *
 * Everything lies in one memory of float32. Addresses and distances are in bytes. An image lies as (height, width,
 * channels); the distance from one pixel to the next may be more than its channels.
 */

import { erf, sigmoid, tanh, total } from "./functions";

/** Panels of eight outputs: the weights of panel p lie as [input][8] behind those of panel p - 1. */
const PANEL: usize = 32;

/**
 * Weighted sums: y[r][8 p + u] = b[8 p + u] + sum over s, l of x[r][s][l] w[p][s length + l][u], for each of `rows` rows.
 *
 * A dense layer has one segment, its input. A convolution has one for each row of its kernel: the pixels that it covers
 * lie one after the other. `height` lines of rows are computed, `xLine` and `yLine` apart.
 */
export function multiply(
  x: usize,
  xLine: usize,
  xRow: usize,
  segments: i32,
  length: i32,
  segment: usize,
  w: usize,
  b: usize,
  y: usize,
  yLine: usize,
  yRow: usize,
  height: i32,
  rows: i32,
  panels: i32,
): void {
  const size: usize = <usize>segments * <usize>length * PANEL;
  for (let line = 0; line < height; line++) {
    for (let p = 0; p < panels; p++) {
      const weights = w + <usize>p * size;
      const bias = b + <usize>p * PANEL;
      let from = x;
      let to = y + <usize>p * PANEL;
      let r = 0;
      for (; r + 4 <= rows; r += 4) {
        four(from, xRow, segments, length, segment, weights, bias, to, yRow);
        from += 4 * xRow;
        to += 4 * yRow;
      }
      for (; r + 2 <= rows; r += 2) {
        two(from, xRow, segments, length, segment, weights, bias, to, yRow);
        from += 2 * xRow;
        to += 2 * yRow;
      }
      if (r < rows) {
        if (p + 1 < panels && rows == 1) {
          one16(from, segments, length, segment, weights, size, bias, to);
          p++;
        } else one(from, segments, length, segment, weights, bias, to);
      }
    }
    x += xLine;
    y += yLine;
  }
}

function four(
  x: usize,
  xRow: usize,
  segments: i32,
  length: i32,
  segment: usize,
  w: usize,
  b: usize,
  y: usize,
  yRow: usize,
): void {
  let a0 = v128.load(b);
  let a1 = v128.load(b, 16);
  let b0 = a0;
  let b1 = a1;
  let c0 = a0;
  let c1 = a1;
  let d0 = a0;
  let d1 = a1;
  for (let s = 0; s < segments; s++) {
    let first = x;
    let second = x + xRow;
    let third = second + xRow;
    let fourth = third + xRow;
    const end = x + ((<usize>length) << 2);
    while (first < end) {
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      const xa = v128.load32_splat(first);
      a0 = f32x4.add(a0, f32x4.mul(xa, w0));
      a1 = f32x4.add(a1, f32x4.mul(xa, w1));
      const xb = v128.load32_splat(second);
      b0 = f32x4.add(b0, f32x4.mul(xb, w0));
      b1 = f32x4.add(b1, f32x4.mul(xb, w1));
      const xc = v128.load32_splat(third);
      c0 = f32x4.add(c0, f32x4.mul(xc, w0));
      c1 = f32x4.add(c1, f32x4.mul(xc, w1));
      const xd = v128.load32_splat(fourth);
      d0 = f32x4.add(d0, f32x4.mul(xd, w0));
      d1 = f32x4.add(d1, f32x4.mul(xd, w1));
      w += PANEL;
      first += 4;
      second += 4;
      third += 4;
      fourth += 4;
    }
    x += segment;
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
  y += yRow;
  v128.store(y, b0);
  v128.store(y, b1, 16);
  y += yRow;
  v128.store(y, c0);
  v128.store(y, c1, 16);
  y += yRow;
  v128.store(y, d0);
  v128.store(y, d1, 16);
}

function two(
  x: usize,
  xRow: usize,
  segments: i32,
  length: i32,
  segment: usize,
  w: usize,
  b: usize,
  y: usize,
  yRow: usize,
): void {
  let a0 = v128.load(b);
  let a1 = v128.load(b, 16);
  let b0 = a0;
  let b1 = a1;
  for (let s = 0; s < segments; s++) {
    let first = x;
    let second = x + xRow;
    const end = x + ((<usize>length) << 2);
    while (first < end) {
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      const xa = v128.load32_splat(first);
      a0 = f32x4.add(a0, f32x4.mul(xa, w0));
      a1 = f32x4.add(a1, f32x4.mul(xa, w1));
      const xb = v128.load32_splat(second);
      b0 = f32x4.add(b0, f32x4.mul(xb, w0));
      b1 = f32x4.add(b1, f32x4.mul(xb, w1));
      w += PANEL;
      first += 4;
      second += 4;
    }
    x += segment;
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
  y += yRow;
  v128.store(y, b0);
  v128.store(y, b1, 16);
}

function one(x: usize, segments: i32, length: i32, segment: usize, w: usize, b: usize, y: usize): void {
  let a0 = v128.load(b);
  let a1 = v128.load(b, 16);
  for (let s = 0; s < segments; s++) {
    let at = x;
    const end = x + ((<usize>length) << 2);
    while (at < end) {
      const xa = v128.load32_splat(at);
      a0 = f32x4.add(a0, f32x4.mul(xa, v128.load(w)));
      a1 = f32x4.add(a1, f32x4.mul(xa, v128.load(w, 16)));
      w += PANEL;
      at += 4;
    }
    x += segment;
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
}

/** One row and two panels. The sums of even and odd inputs are kept apart: each addition then waits for none before it. */
function one16(x: usize, segments: i32, length: i32, segment: usize, w: usize, size: usize, b: usize, y: usize): void {
  let a0 = v128.load(b);
  let a1 = v128.load(b, 16);
  let a2 = v128.load(b, 32);
  let a3 = v128.load(b, 48);
  let b0 = f32x4.splat(0);
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  for (let s = 0; s < segments; s++) {
    let at = x;
    const end = x + ((<usize>length) << 2);
    while (at + 4 < end) {
      const even = v128.load32_splat(at);
      const odd = v128.load32_splat(at, 4);
      const v = w + size;
      a0 = f32x4.add(a0, f32x4.mul(even, v128.load(w)));
      a1 = f32x4.add(a1, f32x4.mul(even, v128.load(w, 16)));
      a2 = f32x4.add(a2, f32x4.mul(even, v128.load(v)));
      a3 = f32x4.add(a3, f32x4.mul(even, v128.load(v, 16)));
      b0 = f32x4.add(b0, f32x4.mul(odd, v128.load(w, 32)));
      b1 = f32x4.add(b1, f32x4.mul(odd, v128.load(w, 48)));
      b2 = f32x4.add(b2, f32x4.mul(odd, v128.load(v, 32)));
      b3 = f32x4.add(b3, f32x4.mul(odd, v128.load(v, 48)));
      w += 2 * PANEL;
      at += 8;
    }
    if (at < end) {
      const last = v128.load32_splat(at);
      const v = w + size;
      a0 = f32x4.add(a0, f32x4.mul(last, v128.load(w)));
      a1 = f32x4.add(a1, f32x4.mul(last, v128.load(w, 16)));
      a2 = f32x4.add(a2, f32x4.mul(last, v128.load(v)));
      a3 = f32x4.add(a3, f32x4.mul(last, v128.load(v, 16)));
      w += PANEL;
    }
    x += segment;
  }
  v128.store(y, f32x4.add(a0, b0));
  v128.store(y, f32x4.add(a1, b1), 16);
  v128.store(y, f32x4.add(a2, b2), 32);
  v128.store(y, f32x4.add(a3, b3), 48);
}

/** ReLU of `lines` lines of `count` values, `line` apart. Lines are written up to the next multiple of four values. */
export function relu(x: usize, lines: i32, line: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < lines; i++, x += line) {
    const end = x + ((<usize>count) << 2);
    for (let at = x; at < end; at += 16) v128.store(at, f32x4.pmax(v128.load(at), zero));
  }
}

/** The logistic function, in the same way. */
export function logistic(x: usize, lines: i32, line: usize, count: i32): void {
  for (let i = 0; i < lines; i++, x += line) {
    const end = x + ((<usize>count) << 2);
    for (let at = x; at < end; at += 16) v128.store(at, sigmoid(v128.load(at)));
  }
}

/** GELU, x times the normal distribution's function at x, in the same way. */
export function gelu(x: usize, lines: i32, line: usize, count: i32): void {
  const half = f32x4.splat(0.5);
  for (let i = 0; i < lines; i++, x += line) {
    const end = x + ((<usize>count) << 2);
    for (let at = x; at < end; at += 16) {
      const value = v128.load(at);
      const share = erf(f32x4.mul(value, f32x4.splat(0.7071067811865476)));
      v128.store(at, f32x4.mul(value, f32x4.add(half, f32x4.mul(half, share))));
    }
  }
}

/** Each of `lines` lines of `count` values to mean 0 and variance 1, then times w plus b. */
export function normalise(x: usize, lines: i32, line: usize, count: i32, w: usize, b: usize): void {
  const size: usize = (<usize>count) << 2;
  const whole: usize = size & ~(<usize>15); // bytes that are taken four values at a time
  for (let i = 0; i < lines; i++, x += line) {
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) sums = f32x4.add(sums, v128.load(x + at));
    let sum = total(sums);
    for (let at = whole; at < size; at += 4) sum += f32.load(x + at);
    const mean: f32 = sum / <f32>count;
    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const away = f32x4.sub(v128.load(x + at), means);
      v128.store(x + at, away);
      squares = f32x4.add(squares, f32x4.mul(away, away));
    }
    let square = total(squares);
    for (let at = whole; at < size; at += 4) {
      const away = f32.load(x + at) - mean;
      f32.store(x + at, away);
      square += away * away;
    }
    const scale: f32 = 1 / Mathf.sqrt(square / <f32>count + 1e-5);
    const scales = f32x4.splat(scale);
    for (let at: usize = 0; at < whole; at += 16) {
      const value = f32x4.mul(f32x4.mul(v128.load(x + at), scales), v128.load(w + at));
      v128.store(x + at, f32x4.add(value, v128.load(b + at)));
    }
    for (let at = whole; at < size; at += 4)
      f32.store(x + at, f32.load(x + at) * scale * f32.load(w + at) + f32.load(b + at));
  }
}

/**
 * Groups of channels of an image to mean 0 and variance 1, then each channel times w plus b.
 *
 * channels: a multiple of four, a pixel's room; `wide` of them, the groups' own, are real. scratch: two values a channel.
 */
export function normaliseGroups(
  x: usize,
  line: usize,
  pixel: usize,
  height: i32,
  width: i32,
  channels: i32,
  wide: i32,
  groups: i32,
  w: usize,
  b: usize,
  scratch: usize,
): void {
  const sizes: usize = (<usize>channels) << 2;
  const count: f64 = (<f64>height * <f64>width * <f64>wide) / <f64>groups;
  const each = wide / groups;
  const scales = scratch;
  const shifts = scratch + sizes;
  // The mean of each group, laid out by channel in `shifts`.
  sums(x, line, pixel, height, width, sizes, 0, shifts);
  for (let g = 0; g < groups; g++) {
    let sum: f64 = 0;
    const first = shifts + ((<usize>(g * each)) << 2);
    for (let k = 0; k < each; k++) sum += f32.load(first + ((<usize>k) << 2));
    for (let k = 0; k < each; k++) f32.store(first + ((<usize>k) << 2), <f32>(sum / count));
  }
  sums(x, line, pixel, height, width, sizes, shifts, scales);
  for (let g = 0; g < groups; g++) {
    let squares: f64 = 0;
    const first = (<usize>(g * each)) << 2;
    for (let k = 0; k < each; k++) squares += f32.load(scales + first + ((<usize>k) << 2));
    const scale = <f32>(1 / Math.sqrt(squares / count + 1e-5));
    for (let k = 0; k < each; k++) {
      const at = first + ((<usize>k) << 2);
      const own = scale * f32.load(w + at);
      f32.store(shifts + at, f32.load(b + at) - f32.load(shifts + at) * own);
      f32.store(scales + at, own);
    }
  }
  for (let at = (<usize>wide) << 2; at < sizes; at += 4) {
    f32.store(scales + at, 0);
    f32.store(shifts + at, 0);
  }
  for (let c: usize = 0; c < sizes; c += 16) {
    const scale = v128.load(scales + c);
    const shift = v128.load(shifts + c);
    let begin = x + c;
    for (let i = 0; i < height; i++, begin += line) {
      let at = begin;
      for (let j = 0; j < width; j++, at += pixel) v128.store(at, f32x4.add(f32x4.mul(v128.load(at), scale), shift));
    }
  }
}

/** The sum of each channel over an image or, where there are means, of the squared distance from them. */
function sums(
  x: usize,
  line: usize,
  pixel: usize,
  height: i32,
  width: i32,
  sizes: usize,
  means: usize,
  out: usize,
): void {
  for (let c: usize = 0; c < sizes; c += 16) {
    const mean = means ? v128.load(means + c) : f32x4.splat(0);
    let total = f32x4.splat(0);
    let begin = x + c;
    for (let i = 0; i < height; i++, begin += line) {
      let row = f32x4.splat(0);
      let at = begin;
      for (let j = 0; j < width; j++, at += pixel) {
        const value = f32x4.sub(v128.load(at), mean);
        row = f32x4.add(row, means ? f32x4.mul(value, value) : value);
      }
      total = f32x4.add(total, row);
    }
    v128.store(out + c, total);
  }
}

/**
 * The largest of each 2 x 2 pixels; `height` and `width` are those of y. Pixels are written up to the next multiple of four
 * channels.
 */
export function pool(
  x: usize,
  xLine: usize,
  xPixel: usize,
  y: usize,
  yLine: usize,
  yPixel: usize,
  height: i32,
  width: i32,
  channels: i32,
): void {
  const sizes: usize = (<usize>channels) << 2;
  for (let i = 0; i < height; i++, x += 2 * xLine, y += yLine) {
    let from = x;
    let to = y;
    for (let j = 0; j < width; j++, from += 2 * xPixel, to += yPixel) {
      for (let c: usize = 0; c < sizes; c += 16) {
        const above = f32x4.max(v128.load(from + c), v128.load(from + xPixel + c));
        const below = f32x4.max(v128.load(from + xLine + c), v128.load(from + xLine + xPixel + c));
        v128.store(to + c, f32x4.max(above, below));
      }
    }
  }
}

/** Values of a block of three axes to other places; four at a time where those of the last axis lie one after the other. */
export function copy(
  x: usize,
  y: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  y0: usize,
  y1: usize,
  y2: usize,
): void {
  const fours = x2 == 4 && y2 == 4 ? n2 & ~3 : 0;
  for (let i = 0; i < n0; i++, x += x0, y += y0) {
    let from = x;
    let to = y;
    for (let j = 0; j < n1; j++, from += x1, to += y1) {
      let a = from;
      let b = to;
      let k = 0;
      for (; k < fours; k += 4, a += 16, b += 16) v128.store(b, v128.load(a));
      for (; k < n2; k++, a += x2, b += y2) f32.store(b, f32.load(a));
    }
  }
}

/** y += x, `count` values; written up to the next multiple of four. */
export function add(x: usize, y: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16, y += 16) v128.store(y, f32x4.add(v128.load(x), v128.load(y)));
}

/**
 * One step of an LSTM of so many units: gates i, f, g, o from the input (given) and from the state before (recalled).
 * Renews the cell and gives the state. Each is written up to the next multiple of four.
 */
export function lstm(given: usize, recalled: usize, cell: usize, state: usize, units: i32): void {
  const gate: usize = (<usize>units) << 2;
  for (let at: usize = 0; at < gate; at += 16) {
    const i = sigmoid(f32x4.add(v128.load(given + at), v128.load(recalled + at)));
    const f = sigmoid(f32x4.add(v128.load(given + gate + at), v128.load(recalled + gate + at)));
    const g = tanh(f32x4.add(v128.load(given + 2 * gate + at), v128.load(recalled + 2 * gate + at)));
    const o = sigmoid(f32x4.add(v128.load(given + 3 * gate + at), v128.load(recalled + 3 * gate + at)));
    const kept = f32x4.add(f32x4.mul(f, v128.load(cell + at)), f32x4.mul(i, g));
    v128.store(cell + at, kept);
    v128.store(state + at, f32x4.mul(o, tanh(kept)));
  }
}

/** One step of a GRU in the same way, gates r, z, n: the new state from the one before. */
export function gru(given: usize, recalled: usize, before: usize, state: usize, units: i32): void {
  const gate: usize = (<usize>units) << 2;
  const one = f32x4.splat(1);
  for (let at: usize = 0; at < gate; at += 16) {
    const r = sigmoid(f32x4.add(v128.load(given + at), v128.load(recalled + at)));
    const z = sigmoid(f32x4.add(v128.load(given + gate + at), v128.load(recalled + gate + at)));
    const recall = f32x4.mul(r, v128.load(recalled + 2 * gate + at));
    const n = tanh(f32x4.add(v128.load(given + 2 * gate + at), recall));
    v128.store(state + at, f32x4.add(f32x4.mul(f32x4.sub(one, z), n), f32x4.mul(z, v128.load(before + at))));
  }
}
