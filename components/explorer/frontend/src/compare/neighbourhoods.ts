/** The nearest neighbours of very many codes at once. The page goes on meanwhile. */

import { finder } from "../maths";
import { largest, Products } from "../products";

/** How many nearest samples count as neighbours. */
export const NEIGHBOURHOOD = 15;
/** Milliseconds after which the page gets its turn. */
const TURN = 8;
/** So many codes are compared with all others at once. */
const BLOCK = 64;

/** Waits for the page where it has waited long enough; false once `isCalledOff` says so. */
export class Turns {
  private begun = performance.now();

  constructor(private readonly isCalledOff: () => boolean) {}

  get due(): boolean {
    return performance.now() - this.begun >= TURN;
  }

  async wait(): Promise<boolean> {
    await new Promise((go) => setTimeout(go));
    this.begun = performance.now();
    return !this.isCalledOff();
  }
}

/**
 * The `k` nearest of each of these codes (`size` numbers each) among all of them: `k` positions a code, nearest first; -1
 * where there are fewer. Null once `isCalledOff` says so.
 */
export async function neighbourhoods(
  codes: Float32Array,
  size: number,
  k: number,
  isCalledOff: () => boolean,
): Promise<Int32Array | null> {
  const turns = new Turns(isCalledOff);
  return size <= 2 ? byCells(codes, size, k, turns) : byProducts(codes, size, k, turns);
}

async function byCells(codes: Float32Array, size: number, k: number, turns: Turns): Promise<Int32Array | null> {
  const count = Math.floor(codes.length / size);
  const found = finder(codes, size);
  const out = new Int32Array(count * k).fill(-1);
  for (let i = 0; i < count; i++) {
    let at = i * k;
    for (const one of found.nearest(codes.subarray(i * size, (i + 1) * size), k + 1))
      if (one.index !== i && at < (i + 1) * k) out[at++] = one.index;
    if (turns.due && !(await turns.wait())) return null;
  }
  return out;
}

/** With many numbers a code no index helps: see products.ts. */
async function byProducts(codes: Float32Array, size: number, k: number, turns: Turns): Promise<Int32Array | null> {
  const count = Math.floor(codes.length / size);
  const products = await Products.of(codes, size);
  const out = new Int32Array(count * k).fill(-1);
  for (let begin = 0; begin < count; begin += BLOCK) {
    const items = Math.min(BLOCK, count - begin);
    const scores = products.scores(codes.subarray(begin * size, (begin + items) * size), items);
    for (let i = 0; i < items; i++) {
      const own = begin + i;
      largest(scores.subarray(i * count, (i + 1) * count), out.subarray(own * k, (own + 1) * k), (j) => j !== own);
      if (turns.due && !(await turns.wait())) return null;
    }
  }
  return out;
}
