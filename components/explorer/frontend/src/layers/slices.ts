/** Long computations in slices, so that the page stays quick. */

import type { Helper } from "../network/many";
import type { Job } from "./layer";

/** What a slice may take: a frame has 16 ms, and the pointer's own decode must fit into the same one. */
export const SLICE_MS = 6;

/** Lets the page do what waits: input first, and painting. Not after everything else: that may be frames later. */
export const yieldToPage = (): Promise<unknown> => task("user-visible");

/** After what runs now and before the page is painted, which a timer comes after. */
export const beforeTheNextFrame = (): Promise<unknown> => task("user-blocking");

function task(priority: string): Promise<unknown> {
  const { scheduler } = globalThis as {
    scheduler?: { postTask(task: () => void, options: object): Promise<unknown> };
  };
  return scheduler ? scheduler.postTask(() => undefined, { priority }) : new Promise((later) => setTimeout(later, 0));
}

/** What the page needs this long for is worth starting workers, where they are not there yet. */
const PAGE_MS = 40;
/** The first slice where nobody knows yet how long one code takes. */
const FIRST = 4;
/** Codes that are asked of a worker at once, at most, and what a block of them should take there: then it can be stopped. */
const MOST = 128,
  BLOCK_MS = 8;

/** Codes one after the other. */
interface Block {
  readonly first: number;
  readonly count: number;
}

/**
 * Decodes many codes without ever holding the page for longer than a slice: workers take blocks from the beginning,
 * the page itself from the end. `take` is handed the values of `count` codes from `first` on. False when the job was
 * overtaken, or where there is no decoder.
 */
export async function decodeInSlices(
  { context, isCurrent }: Job,
  codes: readonly Float32Array[],
  take: (values: Float32Array, first: number, count: number) => void,
): Promise<boolean> {
  const elsewhere = context.decoding.asked;
  if (elsewhere) return elsewhere.all(codes, take, isCurrent);
  const many = context.decoding.many();
  if (!many) return false;
  const { size } = context.card.codes;
  let begin = 0,
    end = codes.length;
  /** What workers are at, the newest last; and what the page has taken over from them. */
  const asked = new Set<Block>(),
    taken: Block[] = [];
  const helping = new Set<Helper>();
  for (;;) {
    const left = (many.pace ?? 0) * (end - begin);
    if (left > PAGE_MS) many.warm();
    // What fits into one slice is done before a worker could answer.
    for (const helper of left > SLICE_MS ? many.ready : []) {
      if (!helping.has(helper)) void help(helper);
      helping.add(helper);
    }
    const wanted = many.pace === null ? FIRST : Math.max(1, Math.floor(SLICE_MS / many.pace));
    const block = fromTaken(wanted) ?? fromEnd(wanted) ?? fromAsked(wanted);
    if (!block) return isCurrent();
    const begun = performance.now();
    take(many.here(valuesOf(block), block.count), block.first, block.count);
    many.pace = Math.max(1e-3, performance.now() - begun) / block.count;
    if (begin < end || taken.length || asked.size) await yieldToPage();
    if (!isCurrent()) return false;
  }

  function valuesOf({ first, count }: Block): Float32Array<ArrayBuffer> {
    const out = new Float32Array(count * size);
    for (let k = 0; k < count; k++) out.set(codes[first + k], k * size);
    return out;
  }

  function fromEnd(wanted: number): Block | null {
    const count = Math.min(wanted, end - begin);
    if (!count) return null;
    end -= count;
    return { first: end, count };
  }

  function fromTaken(wanted: number): Block | null {
    const block = taken.pop();
    if (!block || block.count <= wanted) return block ?? null;
    taken.push({ first: block.first + wanted, count: block.count - wanted });
    return { first: block.first, count: wanted };
  }

  /** Where nothing else is left: a worker whose core is busy with something else is not waited for. */
  function fromAsked(wanted: number): Block | null {
    const newest = [...asked].at(-1);
    if (newest) {
      asked.delete(newest);
      taken.push(newest);
    }
    return fromTaken(wanted);
  }

  /** A worker computes a block while the page paints the one before. */
  async function help(helper: Helper): Promise<void> {
    const ask = () => {
      const count = Math.max(1, Math.min(MOST, Math.floor(BLOCK_MS / helper.pace), end - begin));
      const block = { first: begin, count };
      begin += count;
      asked.add(block);
      return { block, values: helper.run(valuesOf(block), count) };
    };
    const running = [ask()];
    for (let one = running.shift(); one; one = running.shift()) {
      if (begin < end) running.push(ask());
      const values = await one.values;
      if (!isCurrent()) return;
      if (!asked.delete(one.block)) continue; // the page has done it
      if (values) take(values, one.block.first, one.block.count);
      else taken.push(one.block); // it failed
    }
  }
}
