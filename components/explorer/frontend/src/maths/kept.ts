/** Which neighbours samples keep from one latent space to another. */

import { finder } from "./neighbours";

/** How many nearest samples count as neighbours. */
export const NEIGHBOURHOOD = 15;
/** Milliseconds after which the page gets its turn. */
const TURN = 8;

/**
 * The `k` nearest of each of these codes among all of them: `k` positions a code, nearest first; -1 where there are fewer.
 * The page goes on meanwhile. Null once `isCalledOff` says so.
 */
export async function neighbourhoods(
  codes: Float32Array,
  size: number,
  k: number,
  isCalledOff: () => boolean,
): Promise<Int32Array | null> {
  const count = Math.floor(codes.length / size);
  const found = finder(codes, size);
  const out = new Int32Array(count * k).fill(-1);
  let begun = performance.now();
  for (let i = 0; i < count; i++) {
    let at = i * k;
    for (const one of found.nearest(codes.subarray(i * size, (i + 1) * size), k + 1))
      if (one.index !== i && at < (i + 1) * k) out[at++] = one.index;
    if (performance.now() - begun < TURN) continue;
    await new Promise((go) => setTimeout(go));
    if (isCalledOff()) return null;
    begun = performance.now();
  }
  return out;
}

/** For each sample the share of its neighbours in `a` that are its neighbours in `b`, too: 0 to 1; NaN where it has none. */
export function sharesKept(a: Int32Array, b: Int32Array, k: number): Float32Array {
  const out = new Float32Array(a.length / k);
  for (let i = 0; i < out.length; i++) {
    let had = 0,
      kept = 0;
    for (let j = i * k; j < (i + 1) * k; j++) {
      if (a[j] < 0) continue;
      had++;
      for (let l = i * k; l < (i + 1) * k; l++)
        if (b[l] === a[j]) {
          kept++;
          break;
        }
    }
    out[i] = kept / had;
  }
  return out;
}
