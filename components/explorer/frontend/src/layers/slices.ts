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

/** The page begins with so many slices: the first are slow, since a browser first learns what is worth its best code. */
const FIRST_SLICES = 3;
/** A worker helps where the page would need more than this for the rest: its first answer takes as long. */
const PAGE_MS = 40;
/** Codes that are asked of the worker at once, at most, and what a block of them should take there: then it can be stopped. */
const MOST = 128,
  BLOCK_MS = 10;

/**
 * Decodes many codes without ever holding the page for longer than a slice. `take` is handed the values of `count`
 * codes from `first` on. False when the job was overtaken, or where there is no decoder.
 */
export async function decodeInSlices(
  { context, isCurrent }: Job,
  codes: readonly Float32Array[],
  take: (values: Float32Array, first: number, count: number) => void,
): Promise<boolean> {
  const many = context.decoding.many();
  if (!many) return false;
  const { size } = context.card.codes;
  // What is left: a worker takes from its beginning, the page from its end once a worker helps.
  let begin = 0,
    end = codes.length,
    count = 4,
    helping: Promise<void> | null = null;
  for (let slice = 1; ; slice++) {
    if (begin >= end) await helping; // it may give back what it could not do
    if (begin >= end || !isCurrent()) return isCurrent();
    count = Math.min(count, end - begin);
    const first = helping ? (end -= count) : begin;
    if (!helping) begin += count;
    const begun = performance.now();
    take(many.here(block(first, count), count), first, count);
    const each = Math.max(1e-3, performance.now() - begun) / count;
    if (slice >= FIRST_SLICES && each * (end - begin) > PAGE_MS) helping ??= help(each);
    count = Math.max(1, Math.min(4 * count, Math.floor(SLICE_MS / each)));
    await yieldToPage();
    if (!isCurrent()) return false;
  }

  function block(first: number, count: number): Float32Array<ArrayBuffer> {
    const out = new Float32Array(count * size);
    for (let k = 0; k < count; k++) out.set(codes[first + k], k * size);
    return out;
  }

  /** The worker computes a block while the page paints the one before; `each`: milliseconds that one code may take. */
  async function help(each: number): Promise<void> {
    let batch = Math.max(1, Math.min(MOST, Math.floor(BLOCK_MS / each)));
    const ask = () => {
      const first = begin,
        count = Math.min(batch, end - begin);
      begin += count;
      return { first, count, begun: performance.now(), values: many!.run(block(first, count), count) };
    };
    const running = [ask()];
    for (let one = running.shift(); one; one = running.shift()) {
      if (begin < end) running.push(ask());
      const { first, count, begun } = one;
      const values = await one.values;
      if (!isCurrent()) return;
      if (!values) {
        begin = first; // the page does this by itself
        return;
      }
      take(values, first, count);
      const spent = Math.max(0.2, performance.now() - begun);
      batch = Math.max(1, Math.min(MOST, 2 * count, Math.floor((count * BLOCK_MS) / spent)));
    }
  }
}
