/**
 * In place of a decoder that cannot travel: samples that it drew ahead. Between the places of these, the nearest are blended,
 * each weighted by ((R - d) / (R d))², where d is how far it is and R how far the first is that has no part (Franke and Nielson
 * 1980): what is blended changes without a jump.
 */

import { finder } from "../maths";
import type { Ask } from "./asked";

/** So many samples are blended: of 1 to 8 that errs least, with codes of two to five numbers. */
const BLENDED = 8;
/** Nearer is at the place itself. */
const TINY = 1e-9;

/** Samples that were drawn ahead: at the codes `places`, `count` of them; 0 and 255 stand for `low` and `high`. */
export interface Drawn {
  readonly count: number;
  readonly low: number;
  readonly high: number;
  readonly places: Float32Array;
  readonly values: Uint8Array;
}

/** Answers for codes with blends of these. */
export function blended({ count, low, high, places, values }: Drawn): Ask {
  const size = places.length / count,
    each = values.length / count;
  const known = finder(places, size);
  return (codes, asked) => {
    const out = new Float32Array(asked * each).fill(low);
    for (let k = 0; k < asked; k++) {
      const near = known?.nearest(codes.subarray(k * size, (k + 1) * size), BLENDED + 1) ?? [];
      const reach = near.at(-1)?.distance ?? 0;
      let weights = near.map(({ distance: d }) => ((reach - d) / (reach * Math.max(d, TINY))) ** 2);
      let sum = weights.reduce((a, b) => a + b, 0);
      if (!(sum > 0)) [weights, sum] = [near.map(() => 1), near.length]; // all equally far
      near.forEach(({ index }, i) => {
        const weight = ((high - low) * weights[i]) / (255 * sum);
        for (let p = 0; p < each; p++) out[k * each + p] += weight * values[index * each + p];
      });
    }
    return Promise.resolve(out);
  };
}
