/** Long computations in slices, so that the page stays quick. */

import type { Job } from "./layer";

/** What a slice may take: a frame has 16 ms, and the pointer's own decode must fit into the same one. */
export const SLICE_MS = 6;

/** Lets the page do everything that is more urgent: input first, then painting. */
export function yieldToPage(): Promise<unknown> {
  const { scheduler } = globalThis as {
    scheduler?: { postTask(task: () => void, options: object): Promise<unknown> };
  };
  return scheduler
    ? scheduler.postTask(() => undefined, { priority: "background" })
    : new Promise((later) => setTimeout(later, 0));
}

/**
 * Decodes many codes without ever holding the page for longer than a slice. `take` is handed the values of `count`
 * codes from `first` on. False when the job was overtaken.
 */
export async function decodeInSlices(
  { context, isCurrent }: Job,
  codes: readonly Float32Array[],
  take: (values: Float32Array, first: number, count: number) => void,
): Promise<boolean> {
  const { size } = context.card.codes;
  let batch = 1;
  for (let first = 0; first < codes.length;) {
    await yieldToPage();
    if (!isCurrent() || !context.decoding.decoder) return false;
    const count = Math.min(batch, codes.length - first);
    const block = new Float32Array(count * size);
    for (let k = 0; k < count; k++) block.set(codes[first + k], k * size);
    const begun = performance.now();
    const values = await context.decoding.decoder.run(block, count).catch(() => null);
    if (!isCurrent()) return false;
    if (!values) continue;
    take(values, first, count);
    first += count;
    const spent = performance.now() - begun;
    batch = Math.max(1, Math.min(64, batch * 2, Math.floor((batch * SLICE_MS) / Math.max(0.2, spent))));
  }
  return true;
}
