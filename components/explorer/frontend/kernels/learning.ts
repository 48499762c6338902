/**
 * The numbers of a dense network that learns, four values at a time: forwards, backwards, and Adam.
 *
 * Everything lies in one memory of float32. Addresses and distances are in bytes. Values lie as rows of a batch, a multiple of
 * eight numbers each, zeros behind the last one; so do the errors that come back. There is room for a multiple of four rows,
 * and what stands in rows beyond the last one does not matter.
 *
 * Weights (inputs, outputs) lie in panels of eight outputs, [panel][input][8], with room for a multiple of four inputs;
 * `panel` is the distance between two panels.
 */

import { erf, exponential, sigmoid, total } from "./functions";

const PANEL: usize = 32;

/** a b + c, in one operation where the processor has it and the browser lets it be used. */
function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.relaxed_madd<f32>(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** y = b + x w, of each row. */
export function forward(
  x: usize,
  xRow: usize,
  inputs: i32,
  w: usize,
  panel: usize,
  panels: i32,
  b: usize,
  y: usize,
  yRow: usize,
  rows: i32,
): void {
  const length: usize = (<usize>inputs) << 2;
  for (let p = 0; p < panels; p++, w += panel, b += PANEL, y += PANEL) {
    const bias0 = v128.load(b);
    const bias1 = v128.load(b, 16);
    let from = x;
    let to = y;
    for (let r = 0; r < rows; r += 4, from += 4 * xRow) {
      let a0 = bias0;
      let a1 = bias1;
      let b0 = bias0;
      let b1 = bias1;
      let c0 = bias0;
      let c1 = bias1;
      let d0 = bias0;
      let d1 = bias1;
      let first = from;
      let second = first + xRow;
      let third = second + xRow;
      let fourth = third + xRow;
      let at = w;
      const end = from + length;
      let w0: v128;
      let w1: v128;
      let value: v128;
      while (first < end) {
        w0 = v128.load(at);
        w1 = v128.load(at, 16);
        value = v128.load32_splat(first);
        a0 = madd(value, w0, a0);
        a1 = madd(value, w1, a1);
        value = v128.load32_splat(second);
        b0 = madd(value, w0, b0);
        b1 = madd(value, w1, b1);
        value = v128.load32_splat(third);
        c0 = madd(value, w0, c0);
        c1 = madd(value, w1, c1);
        value = v128.load32_splat(fourth);
        d0 = madd(value, w0, d0);
        d1 = madd(value, w1, d1);
        at += PANEL;
        first += 4;
        second += 4;
        third += 4;
        fourth += 4;
      }
      v128.store(to, a0);
      v128.store(to, a1, 16);
      to += yRow;
      v128.store(to, b0);
      v128.store(to, b1, 16);
      to += yRow;
      v128.store(to, c0);
      v128.store(to, c1, 16);
      to += yRow;
      v128.store(to, d0);
      v128.store(to, d1, 16);
      to += yRow;
    }
  }
}

/**
 * The same weights the other way round, (outputs, inputs) in panels of eight inputs, zeros behind the last one: with them
 * `forward` brings an error back, dx = dy wᵀ.
 */
export function turn(w: usize, panel: usize, panels: i32, inputs: i32, to: usize, toPanel: usize): void {
  for (let i = 0; i < inputs; i += 8, to += toPanel) {
    let from = w + <usize>i * PANEL;
    const real = min(8, inputs - i);
    for (let p = 0, out = to; p < panels; p++, from += panel)
      for (let u: usize = 0; u < PANEL; u += 4, out += PANEL) {
        let at = from + u;
        let k = 0;
        for (; k < real; k++, at += PANEL) f32.store(out + ((<usize>k) << 2), f32.load(at));
        for (; k < 8; k++) f32.store(out + ((<usize>k) << 2), 0);
      }
  }
}

/** dw = xᵀ dy and db = the sum of dy, over `rows` rows: how the loss changes with each weight. */
export function gradient(
  x: usize,
  xRow: usize,
  inputs: i32,
  dy: usize,
  dyRow: usize,
  dw: usize,
  panel: usize,
  panels: i32,
  db: usize,
  rows: i32,
): void {
  const last: usize = <usize>rows * xRow;
  for (let p = 0; p < panels; p++, dy += PANEL, dw += panel, db += PANEL) {
    let to = dw;
    for (let i = 0; i < inputs; i += 4, to += 4 * PANEL) {
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let b0 = a0;
      let b1 = a0;
      let c0 = a0;
      let c1 = a0;
      let d0 = a0;
      let d1 = a0;
      let from = x + ((<usize>i) << 2);
      let error = dy;
      const end = from + last;
      while (from < end) {
        const e0 = v128.load(error);
        const e1 = v128.load(error, 16);
        const xa = v128.load32_splat(from);
        a0 = madd(xa, e0, a0);
        a1 = madd(xa, e1, a1);
        const xb = v128.load32_splat(from, 4);
        b0 = madd(xb, e0, b0);
        b1 = madd(xb, e1, b1);
        const xc = v128.load32_splat(from, 8);
        c0 = madd(xc, e0, c0);
        c1 = madd(xc, e1, c1);
        const xd = v128.load32_splat(from, 12);
        d0 = madd(xd, e0, d0);
        d1 = madd(xd, e1, d1);
        from += xRow;
        error += dyRow;
      }
      v128.store(to, a0);
      v128.store(to, a1, 16);
      v128.store(to, b0, 32);
      v128.store(to, b1, 48);
      v128.store(to, c0, 64);
      v128.store(to, c1, 80);
      v128.store(to, d0, 96);
      v128.store(to, d1, 112);
    }
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (let r = 0, error = dy; r < rows; r++, error += dyRow) {
      s0 = f32x4.add(s0, v128.load(error));
      s1 = f32x4.add(s1, v128.load(error, 16));
    }
    v128.store(db, s0);
    v128.store(db, s1, 16);
  }
}

/** y = max(x, 0); `count` values, a multiple of four. */
export function relu(x: usize, y: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16, y += 16) v128.store(y, f32x4.pmax(v128.load(x), f32x4.splat(0)));
}

/** dy times the slope of relu. */
export function reluSlope(x: usize, _y: usize, dy: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16, dy += 16) v128.store(dy, v128.and(v128.load(dy), f32x4.gt(v128.load(x), f32x4.splat(0))));
}

/** y = the logistic function of x. */
export function logistic(x: usize, y: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16, y += 16) v128.store(y, sigmoid(v128.load(x)));
}

/** dy times its slope. */
export function logisticSlope(_x: usize, y: usize, dy: usize, count: i32): void {
  const end = y + ((<usize>count) << 2);
  const one = f32x4.splat(1);
  for (; y < end; y += 16, dy += 16) {
    const value = v128.load(y);
    v128.store(dy, f32x4.mul(v128.load(dy), f32x4.mul(value, f32x4.sub(one, value))));
  }
}

/** y = GELU of x: x times the normal distribution's function at x. */
export function gelu(x: usize, y: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16, y += 16) {
    const value = v128.load(x);
    v128.store(y, f32x4.mul(value, share(value)));
  }
}

/** dy times its slope. */
export function geluSlope(x: usize, _y: usize, dy: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16, dy += 16) {
    const value = v128.load(x);
    const density = f32x4.mul(
      f32x4.splat(0.3989422804014327),
      exponential(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(value, value))),
    );
    const slope = f32x4.add(share(value), f32x4.mul(value, density));
    v128.store(dy, f32x4.mul(v128.load(dy), slope));
  }
}

function share(x: v128): v128 {
  const half = f32x4.splat(0.5);
  return f32x4.add(half, f32x4.mul(half, erf(f32x4.mul(x, f32x4.splat(0.7071067811865476)))));
}

/**
 * y = w x̂ + b, where x̂ is each row with mean 0 and variance 1. x becomes x̂, and `scales` gets what each row was multiplied
 * by. `count` is a multiple of four.
 */
export function normalise(
  x: usize,
  y: usize,
  row: usize,
  scales: usize,
  w: usize,
  b: usize,
  count: i32,
  rows: i32,
): void {
  const size: usize = (<usize>count) << 2;
  for (let r = 0; r < rows; r++, x += row, y += row, scales += 4) {
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < size; at += 16) sums = f32x4.add(sums, v128.load(x + at));
    const mean = f32x4.splat(total(sums) / <f32>count);
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < size; at += 16) {
      const away = f32x4.sub(v128.load(x + at), mean);
      squares = f32x4.add(squares, f32x4.mul(away, away));
    }
    const scale: f32 = 1 / Mathf.sqrt(total(squares) / <f32>count + 1e-5);
    f32.store(scales, scale);
    for (let at: usize = 0; at < size; at += 16) {
      const value = f32x4.mul(f32x4.sub(v128.load(x + at), mean), f32x4.splat(scale));
      v128.store(x + at, value);
      v128.store(y + at, f32x4.add(f32x4.mul(value, v128.load(w + at)), v128.load(b + at)));
    }
  }
}

/** dw, db and, in place of dy, dx of `normalise`; x is what that left there. */
export function normaliseSlope(
  x: usize,
  dy: usize,
  row: usize,
  scales: usize,
  w: usize,
  dw: usize,
  db: usize,
  count: i32,
  rows: i32,
): void {
  const size: usize = (<usize>count) << 2;
  const zero = f32x4.splat(0);
  for (let at: usize = 0; at < size; at += 16) {
    v128.store(dw + at, zero);
    v128.store(db + at, zero);
  }
  for (let r = 0; r < rows; r++, x += row, dy += row, scales += 4) {
    let sums = zero;
    let along = zero;
    for (let at: usize = 0; at < size; at += 16) {
      const error = v128.load(dy + at);
      const value = v128.load(x + at);
      v128.store(db + at, f32x4.add(v128.load(db + at), error));
      v128.store(dw + at, f32x4.add(v128.load(dw + at), f32x4.mul(error, value)));
      const inner = f32x4.mul(error, v128.load(w + at));
      v128.store(dy + at, inner);
      sums = f32x4.add(sums, inner);
      along = f32x4.add(along, f32x4.mul(inner, value));
    }
    const mean = f32x4.splat(total(sums) / <f32>count);
    const shared = f32x4.splat(total(along) / <f32>count);
    const scale = f32x4.splat(f32.load(scales));
    for (let at: usize = 0; at < size; at += 16) {
      const left = f32x4.sub(f32x4.sub(v128.load(dy + at), mean), f32x4.mul(v128.load(x + at), shared));
      v128.store(dy + at, f32x4.mul(left, scale));
    }
  }
}

/** d = y - x of `count` values of each row; returns the sum of the squares. */
export function difference(y: usize, yRow: usize, x: usize, xRow: usize, d: usize, count: i32, rows: i32): f64 {
  const size: usize = (<usize>count) << 2;
  const whole: usize = size & ~(<usize>15);
  let sum: f64 = 0;
  for (let r = 0; r < rows; r++, y += yRow, x += xRow, d += yRow) {
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const away = f32x4.sub(v128.load(y + at), v128.load(x + at));
      v128.store(d + at, away);
      squares = f32x4.add(squares, f32x4.mul(away, away));
    }
    sum += <f64>total(squares);
    for (let at = whole; at < size; at += 4) {
      const away = f32.load(y + at) - f32.load(x + at);
      f32.store(d + at, away);
      sum += <f64>(away * away);
    }
  }
  return sum;
}

/** x times a number, `count` values, a multiple of four. */
export function times(x: usize, number: f32, count: i32): void {
  const end = x + ((<usize>count) << 2);
  const factor = f32x4.splat(number);
  for (; x < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), factor));
}

/**
 * A step of Adam (Kingma and Ba 2015) as torch takes it: `m` and `v` are the running means of the gradient `g` and of its
 * square, `rate` and `root` the step's rate / (1 - beta1^t) and 1 / sqrt(1 - beta2^t).
 */
export function adam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  count: i32,
  rate: f32,
  root: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
): void {
  const size: usize = (<usize>count) << 2;
  const keep1 = f32x4.splat(beta1);
  const take1 = f32x4.splat(1 - beta1);
  const keep2 = f32x4.splat(beta2);
  const take2 = f32x4.splat(1 - beta2);
  const rates = f32x4.splat(rate);
  const roots = f32x4.splat(root);
  const least = f32x4.splat(epsilon);
  for (let at: usize = 0; at < size; at += 16) {
    const slope = v128.load(g + at);
    const mean = f32x4.add(f32x4.mul(keep1, v128.load(m + at)), f32x4.mul(take1, slope));
    const square = f32x4.add(f32x4.mul(keep2, v128.load(v + at)), f32x4.mul(take2, f32x4.mul(slope, slope)));
    v128.store(m + at, mean);
    v128.store(v + at, square);
    const scale = f32x4.add(f32x4.mul(f32x4.sqrt(square), roots), least);
    v128.store(w + at, f32x4.sub(v128.load(w + at), f32x4.div(f32x4.mul(rates, mean), scale)));
  }
}

/** y = bytes of x as shares of 255, `count` values; written up to the next multiple of four. */
export function widen(x: usize, y: usize, count: i32): void {
  const scale = f32x4.splat(1.0 / 255.0);
  const end = x + <usize>count;
  for (; x < end; x += 4, y += 16) {
    const shorts = i16x8.extend_low_i8x16_u(v128.load32_zero(x));
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(shorts)), scale));
  }
}

/** Four random numbers of 32 bits (Marsaglia's xorshift), from the state and into it. */
function random(state: usize): v128 {
  let x = v128.load(state);
  x = v128.xor(x, i32x4.shl(x, 13));
  x = v128.xor(x, i32x4.shr_u(x, 17));
  x = v128.xor(x, i32x4.shl(x, 5));
  v128.store(state, x);
  return x;
}

/**
 * x plus normal noise of so large a standard deviation; within [0, 1] where `within`. normals: 4096 numbers that are
 * normally distributed, of which two are added for each value. count: a multiple of four.
 */
export function addNoise(x: usize, count: i32, level: f32, within: bool, state: usize, normals: usize): void {
  const end = x + ((<usize>count) << 2);
  const scale = f32x4.splat(level * <f32>0.7071067811865476);
  const mask = i32x4.splat(0x3ffc);
  for (; x < end; x += 16) {
    const bits = random(state);
    const one = v128.and(bits, mask);
    const other = v128.and(i32x4.shr_u(bits, 16), mask);
    let noise = f32x4.splat(pair(normals, i32x4.extract_lane(one, 0), i32x4.extract_lane(other, 0)));
    noise = f32x4.replace_lane(noise, 1, pair(normals, i32x4.extract_lane(one, 1), i32x4.extract_lane(other, 1)));
    noise = f32x4.replace_lane(noise, 2, pair(normals, i32x4.extract_lane(one, 2), i32x4.extract_lane(other, 2)));
    noise = f32x4.replace_lane(noise, 3, pair(normals, i32x4.extract_lane(one, 3), i32x4.extract_lane(other, 3)));
    let value = f32x4.add(v128.load(x), f32x4.mul(noise, scale));
    if (within) value = f32x4.pmin(f32x4.pmax(value, f32x4.splat(0)), f32x4.splat(1));
    v128.store(x, value);
  }
}

function pair(normals: usize, one: i32, other: i32): f32 {
  return f32.load(normals + <usize>one) + f32.load(normals + <usize>other);
}

/** x with so large a share of its pixels set to 0, each of so many channels. */
export function mask(x: usize, pixels: i32, channels: i32, level: f32, state: usize): void {
  const below = <u32>(<f64>level * 4294967295.0);
  let bits = f32x4.splat(0);
  for (let i = 0; i < pixels; i++, x += (<usize>channels) << 2) {
    if (!(i & 3)) bits = random(state);
    const dice = <u32>i32x4.extract_lane(bits, 0);
    bits = v128.shuffle<i32>(bits, bits, 1, 2, 3, 0);
    if (dice < below) for (let c = 0; c < channels; c++) f32.store(x + ((<usize>c) << 2), 0);
  }
}
