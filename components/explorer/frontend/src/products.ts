/**
 * The nearest of very many codes of many numbers, by the kernels of the networks. No index helps there, and the fastest is
 * a product of matrices: x · y - |y|² / 2 is largest for the y nearest to x. A dense layer whose weights are the codes
 * computes it.
 */

import type { Finder, Neighbour } from "./maths";
import { Compiled } from "./network";

/** So many more are taken by their products, which are rounded, before the exact distances decide. */
const SPARE = 4;

export class Products implements Finder {
  private readonly centred: Float32Array;
  private out = new Float32Array(0);

  private constructor(
    private readonly compiled: Compiled,
    private readonly codes: Float32Array,
    private readonly size: number,
    /** Less is lost to rounding where numbers are small. */
    private readonly mean: Float64Array,
    private readonly count: number,
  ) {
    this.centred = new Float32Array(size);
  }

  /** Of `codes`, `size` numbers each. */
  static async of(codes: Float32Array, size: number): Promise<Products> {
    const count = Math.floor(codes.length / size);
    const mean = new Float64Array(size),
      bias = new Float32Array(count);
    for (let i = 0; i < count * size; i++) if (Number.isFinite(codes[i])) mean[i % size] += codes[i] / count;
    const centred = codes.map((value, i) => value - mean[i % size]);
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
    return new Products(compiled, codes, size, mean, count);
  }

  /** For each of `items` codes a score of each stored one, the largest of the nearest. Holds until the next question. */
  scores(asked: ArrayLike<number>, items: number): Float32Array {
    const { size, count, mean } = this;
    const centred = items === 1 ? this.centred : new Float32Array(items * size);
    for (let i = 0; i < centred.length; i++) centred[i] = asked[i] - mean[i % size];
    if (this.out.length !== items * count) this.out = new Float32Array(items * count);
    return this.compiled.run(centred, items, this.out);
  }

  nearest(code: ArrayLike<number>, k: number, accepts?: (index: number) => boolean): Neighbour[] {
    const { codes, size } = this;
    const places = new Int32Array(k + SPARE).fill(-1);
    largest(this.scores(code, 1), places, accepts);
    const found: Neighbour[] = [];
    for (const index of places) {
      if (index < 0) break;
      let sum = 0;
      for (let d = 0; d < size; d++) sum += (codes[index * size + d] - code[d]) ** 2;
      found.push({ index, distance: Math.sqrt(sum) });
    }
    return found.sort((a, b) => a.distance - b.distance).slice(0, k);
  }
}

/** Writes the places of the largest scores into `out`, the largest first; -1 stays where there are fewer. */
export function largest(scores: Float32Array, out: Int32Array, accepts?: (index: number) => boolean): void {
  const best = new Float64Array(out.length).fill(-Infinity);
  const last = out.length - 1;
  let least = -Infinity;
  for (let j = 0; j < scores.length; j++) {
    const score = scores[j];
    if (!(score > least) || (accepts && !accepts(j))) continue;
    let at = last;
    for (; at > 0 && best[at - 1] < score; at--) {
      best[at] = best[at - 1];
      out[at] = out[at - 1];
    }
    best[at] = score;
    out[at] = j;
    least = best[last];
  }
}
