/** Principal components of samples, in the browser: what a network of the same code size is measured against. */

import { apart, Arena, machine } from "./kernels";
import { Random } from "./random";
import type { Samples } from "./plan";

const MORE = 8; // directions that are followed beside those that are wanted, so that these are found fast
const TURNS = 14;
const NOUGHT = 1e-10;

/** Eigenvalues of a symmetric matrix (n, n), largest first, and their vectors in rows (Jacobi's turns). */
export function eigen(matrix: Float64Array, n: number): { values: number[]; vectors: Float64Array[] } {
  const a = matrix.slice(),
    v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0,
      on = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        if (i === j) on += a[i * n + j] ** 2;
        else off += a[i * n + j] ** 2;
    if (off <= 1e-20 * on) break;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        if (a[p * n + q] === 0) continue;
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1)),
          c = 1 / Math.sqrt(t * t + 1),
          s = t * c;
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[k * n + p], a[k * n + q]];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p * n + k], a[q * n + k]];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
          const [z, w] = [v[p * n + k], v[q * n + k]];
          v[p * n + k] = c * z - s * w;
          v[q * n + k] = s * z + c * w;
        }
      }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i]);
  return { values: order.map((i) => a[i * n + i]), vectors: order.map((i) => v.slice(i * n, (i + 1) * n)) };
}

/** PCA's mean squared error on the samples that judge, fitted to those that are learnt (subspace iteration, Halko 2011). */
export async function pcaError(
  samples: Samples,
  features: number,
  size: number,
  learning: Int32Array,
  judging: Int32Array,
): Promise<number> {
  const rows = learning.length,
    all = rows + judging.length,
    wide = Math.max(1, Math.min(size + MORE, features, rows));
  const panels = Math.ceil(wide / 8),
    panel = apart(32 * Math.ceil(features / 4) * 4),
    xRow = apart(32 * Math.ceil(features / 8)),
    yRow = apart(32 * panels);
  const arena = new Arena();
  const [x, y] = [xRow, yRow].map((row) => arena.room(row * Math.ceil(all / 4) * 4));
  const [q, z] = [0, 0].map(() => arena.room(panel * panels));
  const [b, db] = [0, 0].map(() => arena.room(32 * panels));
  const { kernels, floats: m } = await machine(arena.size);
  const scale = samples.values instanceof Uint8Array ? 1 / 255 : 1;
  const mean = new Float64Array(features);
  [...learning, ...judging].forEach((sample, r) => {
    for (let k = 0; k < features; k++) {
      const value = samples.values[sample * features + k];
      m[(x + r * xRow) / 4 + k] = Number.isFinite(value) ? value * scale : 0;
    }
  });
  for (let r = 0; r < rows; r++) for (let k = 0; k < features; k++) mean[k] += m[(x + r * xRow) / 4 + k] / rows;
  for (let r = 0; r < all; r++) for (let k = 0; k < features; k++) m[(x + r * xRow) / 4 + k] -= mean[k];
  /** Where number k of direction j stands. */
  const place = (block: number, j: number, k: number) => (block + (j >> 3) * panel) / 4 + 8 * k + (j & 7);
  const random = new Random(1);
  for (let j = 0; j < wide; j++) for (let k = 0; k < features; k++) m[place(z, j, k)] = random.normal();
  for (let turn = 0; turn <= TURNS; turn++) {
    for (let j = 0; j < wide; j++) {
      // Twice: what rounding left of one direction in another goes, too.
      for (let again = 0; again < 2; again++) {
        let before = 0;
        for (let k = 0; k < features; k++) before += m[place(z, j, k)] ** 2;
        for (let i = 0; i < j; i++) {
          let along = 0;
          for (let k = 0; k < features; k++) along += m[place(z, j, k)] * m[place(q, i, k)];
          for (let k = 0; k < features; k++) m[place(z, j, k)] -= along * m[place(q, i, k)];
        }
        let length = 0;
        for (let k = 0; k < features; k++) length += m[place(z, j, k)] ** 2;
        for (let k = 0; k < features; k++) {
          // What is left of nothing but rounding is no direction.
          const value = length > NOUGHT * before ? m[place(z, j, k)] / Math.sqrt(length) : 0;
          m[place(z, j, k)] = m[place(q, j, k)] = value;
        }
      }
    }
    kernels.forward(x, xRow, features, q, panel, panels, b, y, yRow, turn < TURNS ? rows : all);
    if (turn < TURNS) kernels.gradient(x, xRow, features, y, yRow, z, panel, panels, db, rows);
  }
  const told = new Float64Array(wide * wide);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < wide; j++) told[i * wide + j] += m[(y + r * yRow) / 4 + i] * m[(y + r * yRow) / 4 + j];
  const first = eigen(told, wide).vectors.slice(0, size);
  let left = 0;
  for (let r = rows; r < all; r++) {
    for (let k = 0; k < features; k++) left += m[(x + r * xRow) / 4 + k] ** 2;
    for (const vector of first) {
      let along = 0;
      for (let j = 0; j < wide; j++) along += vector[j] * m[(y + r * yRow) / 4 + j];
      left -= along * along;
    }
  }
  return left / (judging.length * features);
}
