/** The nearest neighbours of very many codes at once. The page goes on meanwhile. */

import { finder } from "../maths";
import { Compiled } from "../network";

/** How many nearest samples count as neighbours. */
export const NEIGHBOURHOOD = 15;
/** Milliseconds after which the page gets its turn. */
const TURN = 8;
/** So many codes are compared with all others at once. */
const BLOCK = 64;

/** Waits for the page where it has waited long enough; false once `isCalledOff` says so. */
export class Turns {
  private begun = performance.now();

  constructor(private readonly isCalledOff: () => boolean) {}

  get due(): boolean {
    return performance.now() - this.begun >= TURN;
  }

  async wait(): Promise<boolean> {
    await new Promise((go) => setTimeout(go));
    this.begun = performance.now();
    return !this.isCalledOff();
  }
}

/**
 * The `k` nearest of each of these codes (`size` numbers each) among all of them: `k` positions a code, nearest first; -1
 * where there are fewer. Null once `isCalledOff` says so.
 */
export async function neighbourhoods(
  codes: Float32Array,
  size: number,
  k: number,
  isCalledOff: () => boolean,
): Promise<Int32Array | null> {
  const turns = new Turns(isCalledOff);
  return size <= 2 ? byCells(codes, size, k, turns) : byProducts(codes, size, k, turns);
}

async function byCells(codes: Float32Array, size: number, k: number, turns: Turns): Promise<Int32Array | null> {
  const count = Math.floor(codes.length / size);
  const found = finder(codes, size);
  const out = new Int32Array(count * k).fill(-1);
  for (let i = 0; i < count; i++) {
    let at = i * k;
    for (const one of found.nearest(codes.subarray(i * size, (i + 1) * size), k + 1))
      if (one.index !== i && at < (i + 1) * k) out[at++] = one.index;
    if (turns.due && !(await turns.wait())) return null;
  }
  return out;
}

/**
 * With many numbers a code no index helps, and the fastest is a product of matrices: x · y - |y|² / 2 is largest for the y
 * nearest to x. A dense layer whose weights are the codes computes it with the kernels of the networks.
 */
async function byProducts(codes: Float32Array, size: number, k: number, turns: Turns): Promise<Int32Array | null> {
  const count = Math.floor(codes.length / size);
  const centred = aroundMean(codes, size);
  const bias = new Float32Array(count);
  for (let i = 0; i < count; i++)
    for (let d = 0; d < size; d++) bias[i] -= (centred[i * size + d] * centred[i * size + d]) / 2;
  const compiled = await Compiled.of({
    layers: [{ layer: "Dense", units: count }],
    weights: new Map([
      ["codes.0.weight", centred],
      ["codes.0.bias", bias],
    ]),
    name: "codes",
    shape: [size],
  });
  const out = new Int32Array(count * k).fill(-1),
    scores = new Float32Array(BLOCK * count);
  for (let begin = 0; begin < count; begin += BLOCK) {
    const items = Math.min(BLOCK, count - begin);
    compiled.run(centred.subarray(begin * size, (begin + items) * size), items, scores);
    for (let i = 0; i < items; i++) {
      largest(
        scores.subarray(i * count, (i + 1) * count),
        begin + i,
        out.subarray((begin + i) * k, (begin + i + 1) * k),
      );
      if (turns.due && !(await turns.wait())) return null;
    }
  }
  return out;
}

/** Less is lost to rounding where numbers are small. */
function aroundMean(codes: Float32Array, size: number): Float32Array {
  const mean = new Float64Array(size),
    count = codes.length / size;
  codes.forEach((value, i) => (mean[i % size] += value / count));
  return codes.map((value, i) => value - mean[i % size]);
}

/** Writes the places of the largest scores but that of `own` into `out`, the largest first. */
function largest(scores: Float32Array, own: number, out: Int32Array): void {
  const best = new Float64Array(out.length).fill(-Infinity);
  const last = out.length - 1;
  for (let j = 0; j < scores.length; j++) {
    const score = scores[j];
    if (!(score > best[last]) || j === own) continue;
    let at = last;
    for (; at > 0 && best[at - 1] < score; at--) {
      best[at] = best[at - 1];
      out[at] = out[at - 1];
    }
    best[at] = score;
    out[at] = j;
  }
}
