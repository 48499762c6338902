/** The kernels in JavaScript: what kernels/index.ts does, one value at a time, for browsers without WebAssembly's SIMD. */

import type { Kernels } from "./kernels";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The error function (see kernels/index.ts). */
function erf(value: number): number {
  const x = Math.max(-4, Math.min(4, value)),
    z = x * x;
  let p = -2.72614225801306e-10;
  for (const c of [
    2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4, -2.95459980854025e-3,
    -1.60960333262415e-2,
  ])
    p = p * z + c;
  let q = -1.45660718464996e-5;
  for (const c of [-2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2])
    q = q * z + c;
  return (x * p) / q;
}

/** The kernels on this memory. */
export function plain(m: Float32Array): Kernels {
  const each = (x: number, lines: number, line: number, count: number, of: (value: number) => number): void => {
    for (let i = 0, begin = x >> 2; i < lines; i++, begin += line >> 2)
      for (let at = begin; at < begin + count; at++) m[at] = of(m[at]);
  };
  return {
    multiply(x, xLine, xRow, segments, length, segment, w, b, y, yLine, yRow, height, rows, panels) {
      for (let line = 0; line < height; line++)
        for (let p = 0; p < panels; p++)
          for (let r = 0; r < rows; r++) {
            const bias = (b >> 2) + 8 * p,
              to = ((y + line * yLine + r * yRow) >> 2) + 8 * p;
            // Eight variables, since sums in an array would be read and written at each step.
            let [s0, s1, s2, s3] = [m[bias], m[bias + 1], m[bias + 2], m[bias + 3]];
            let [s4, s5, s6, s7] = [m[bias + 4], m[bias + 5], m[bias + 6], m[bias + 7]];
            let at = (w >> 2) + 8 * p * segments * length;
            for (let s = 0; s < segments; s++) {
              const from = (x + line * xLine + r * xRow + s * segment) >> 2,
                end = from + length;
              for (let k = from; k < end; k++, at += 8) {
                const value = m[k];
                s0 += value * m[at];
                s1 += value * m[at + 1];
                s2 += value * m[at + 2];
                s3 += value * m[at + 3];
                s4 += value * m[at + 4];
                s5 += value * m[at + 5];
                s6 += value * m[at + 6];
                s7 += value * m[at + 7];
              }
            }
            m[to] = s0;
            m[to + 1] = s1;
            m[to + 2] = s2;
            m[to + 3] = s3;
            m[to + 4] = s4;
            m[to + 5] = s5;
            m[to + 6] = s6;
            m[to + 7] = s7;
          }
    },
    relu: (x, lines, line, count) => each(x, lines, line, count, (value) => (value < 0 ? 0 : value)),
    logistic: (x, lines, line, count) => each(x, lines, line, count, sigmoid),
    gelu: (x, lines, line, count) => each(x, lines, line, count, (v) => v * (0.5 + 0.5 * erf(v * Math.SQRT1_2))),
    normalise(x, lines, line, count, w, b) {
      for (let i = 0, begin = x >> 2; i < lines; i++, begin += line >> 2) {
        let sum = 0,
          squares = 0;
        for (let k = 0; k < count; k++) sum += m[begin + k];
        for (let k = 0; k < count; k++) squares += (m[begin + k] - sum / count) ** 2;
        const scale = 1 / Math.sqrt(squares / count + 1e-5);
        for (let k = 0; k < count; k++)
          m[begin + k] = (m[begin + k] - sum / count) * scale * m[(w >> 2) + k] + m[(b >> 2) + k];
      }
    },
    normaliseGroups(x, line, pixel, height, width, _channels, wide, groups, w, b) {
      const each = wide / groups,
        count = height * width * each;
      const over = (g: number, visit: (at: number, c: number) => void): void => {
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++)
            for (let c = g * each; c < (g + 1) * each; c++) visit(((x + i * line + j * pixel) >> 2) + c, c);
      };
      for (let g = 0; g < groups; g++) {
        let sum = 0,
          squares = 0;
        over(g, (at) => (sum += m[at]));
        over(g, (at) => (squares += (m[at] - sum / count) ** 2));
        const scale = 1 / Math.sqrt(squares / count + 1e-5);
        over(g, (at, c) => (m[at] = (m[at] - sum / count) * scale * m[(w >> 2) + c] + m[(b >> 2) + c]));
      }
    },
    pool(x, xLine, xPixel, y, yLine, yPixel, height, width, channels) {
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++)
          for (let c = 0; c < channels; c++) {
            const at = ((x + 2 * i * xLine + 2 * j * xPixel) >> 2) + c,
              right = at + (xPixel >> 2),
              below = xLine >> 2;
            m[((y + i * yLine + j * yPixel) >> 2) + c] = Math.max(m[at], m[right], m[at + below], m[right + below]);
          }
    },
    copy(x, y, n0, n1, n2, x0, x1, x2, y0, y1, y2) {
      for (let i = 0; i < n0; i++)
        for (let j = 0; j < n1; j++) {
          let from = (x + i * x0 + j * x1) >> 2,
            to = (y + i * y0 + j * y1) >> 2;
          for (let k = 0; k < n2; k++, from += x2 >> 2, to += y2 >> 2) m[to] = m[from];
        }
    },
    add(x, y, count) {
      for (let k = 0; k < count; k++) m[(y >> 2) + k] += m[(x >> 2) + k];
    },
    lstm(given, recalled, cell, state, units) {
      for (let k = 0; k < units; k++) {
        const gate = (g: number): number => m[(given >> 2) + g * units + k] + m[(recalled >> 2) + g * units + k];
        const kept = sigmoid(gate(1)) * m[(cell >> 2) + k] + sigmoid(gate(0)) * Math.tanh(gate(2));
        m[(cell >> 2) + k] = kept;
        m[(state >> 2) + k] = sigmoid(gate(3)) * Math.tanh(kept);
      }
    },
    gru(given, recalled, before, state, units) {
      for (let k = 0; k < units; k++) {
        const a = (given >> 2) + k,
          b = (recalled >> 2) + k;
        const r = sigmoid(m[a] + m[b]),
          z = sigmoid(m[a + units] + m[b + units]);
        const n = Math.tanh(m[a + 2 * units] + r * m[b + 2 * units]);
        m[(state >> 2) + k] = (1 - z) * n + z * m[(before >> 2) + k];
      }
    },
  };
}
