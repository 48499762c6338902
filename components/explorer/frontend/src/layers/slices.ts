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
/** A worker takes over where the page would need more than this for the rest: its first answer takes as long. */
const PAGE_MS = 40;
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
  const block = (first: number, count: number) => {
    const out = new Float32Array(count * size);
    for (let k = 0; k < count; k++) out.set(codes[first + k], k * size);
    return out;
  };
  let done = 0,
    count = 4,
    inWorker = true;
  for (let slice = 1; done < codes.length; slice++) {
    count = Math.min(count, codes.length - done);
    const begun = performance.now();
    take(many.here(block(done, count), count), done, count);
    done += count;
    const each = Math.max(1e-3, performance.now() - begun) / count;
    if (inWorker && slice >= FIRST_SLICES && each * (codes.length - done) > PAGE_MS) {
      await fromWorker(each);
      inWorker = false; // what it has left, because it did not start or failed, is the page's
    } else await yieldToPage();
    if (!isCurrent()) return false;
    count = Math.max(1, Math.min(4 * count, Math.floor(SLICE_MS / each)));
  }
  return true;

  /** The worker computes a block while the page paints the one before; `each`: milliseconds that one code may take. */
  async function fromWorker(each: number): Promise<void> {
    let asked = done,
      batch = Math.max(1, Math.min(MOST, Math.floor(BLOCK_MS / each)));
    const ask = () => {
      const first = asked,
        count = Math.min(batch, codes.length - first);
      asked += count;
      return { first, count, begun: performance.now(), values: many!.run(block(first, count), count) };
    };
    const running = [ask()];
    for (let one = running.shift(); one; one = running.shift()) {
      if (asked < codes.length) running.push(ask());
      const { first, count, begun } = one;
      const values = await one.values;
      if (!values || !isCurrent()) return;
      const spent = Math.max(0.2, performance.now() - begun);
      take(values, first, count);
      done = first + count;
      batch = Math.max(1, Math.min(MOST, 2 * count, Math.floor((count * BLOCK_MS) / spent)));
    }
  }
}
