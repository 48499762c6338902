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

/** Codes that are asked of the worker at once, at most, and what a block of them should take there: then it can be stopped. */
const MOST = 128,
  BLOCK_MS = 10;

/**
 * Decodes many codes without ever holding the page for longer than a slice. `take` is handed the values of `count`
 * codes from `first` on. False when the job was overtaken, or where decoding failed.
 */
export async function decodeInSlices(
  { context, isCurrent }: Job,
  codes: readonly Float32Array[],
  take: (values: Float32Array, first: number, count: number) => void,
): Promise<boolean> {
  const many = context.decoding.many();
  if (!many) return false;
  const { size } = context.card.codes;
  let asked = 0,
    batch = many.onPage ? 1 : 16,
    failed = false;
  const ask = () => {
    const first = asked,
      count = Math.min(batch, codes.length - first);
    asked += count;
    const block = new Float32Array(count * size);
    for (let k = 0; k < count; k++) block.set(codes[first + k], k * size);
    return { first, count, begun: performance.now(), values: many.run(block, count) };
  };
  // The worker computes a block while the page paints the one before.
  const running = [ask()];
  for (let one = running.shift(); one; one = running.shift()) {
    if (asked < codes.length && !many.onPage) running.push(ask());
    const values = await one.values;
    const { first, count, begun } = one;
    let spent = performance.now() - begun;
    if (many.onPage) await yieldToPage(); // a worker's answer has let the page do what is more urgent
    if (!isCurrent()) return false;
    if (!values) {
      // A worker that did not start, or ended: the page goes on from here by itself.
      if (!many.onPage || failed) return false;
      failed = true;
      running.length = 0;
      asked = first;
      batch = 1;
      running.push(ask());
      continue;
    }
    const painting = performance.now();
    take(values, first, count);
    spent = Math.max(spent, performance.now() - painting);
    batch = Math.max(
      1,
      Math.min(MOST, 2 * count, Math.floor((count * (many.onPage ? SLICE_MS : BLOCK_MS)) / Math.max(0.2, spent))),
    );
    if (asked < codes.length && !running.length) running.push(ask());
  }
  return true;
}
