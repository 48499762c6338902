/**
 * In place of a decoder that cannot travel: pictures that it drew ahead. Between the places of these, the nearest are blended,
 * each weighted by one over its squared distance (Shepard 1968), as maps are joined that stand side by side.
 */

import { finder } from "../maths";
import type { Ask } from "./asked";

/** So many pictures are blended. More wash out what they show. */
const NEAREST = 4;

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
      const near = known?.nearest(codes.subarray(k * size, (k + 1) * size), NEAREST) ?? [];
      const exact = near[0]?.distance === 0;
      const weights = near.map(({ distance }, i) => (exact ? Number(i === 0) : 1 / (distance * distance)));
      const sum = weights.reduce((a, b) => a + b, 0);
      near.forEach(({ index }, i) => {
        const weight = ((high - low) * weights[i]) / (255 * sum);
        for (let p = 0; p < each; p++) out[k * each + p] += weight * values[index * each + p];
      });
    }
    return Promise.resolve(out);
  };
}
