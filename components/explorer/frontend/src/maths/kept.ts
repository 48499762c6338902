/** Which neighbours samples keep from one latent space to another. */

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
