/** A network that is laid out and can compute: values in, values out, at once. */

import { product } from "../maths";
import type { Kernels } from "./kernels";
import { batched, compile } from "./layers";
import { machine } from "./machine";
import { Plan, type Rows, type Step } from "./plan";
import type { Weights } from "./weights";

/** Items that are computed together, where the layers allow it: their values then stay in the processor's cache. */
const TOGETHER = 64;

/** How a network is to be laid out: see `Compiled.of`. */
export interface Recipe {
  readonly layers: unknown;
  readonly weights: Weights;
  readonly name: string;
  readonly shape: readonly number[];
  readonly simd?: boolean;
}

export class Compiled {
  /** How many values go in, and how many come out. */
  readonly inputs: number;
  readonly outputs: number;
  /** Where the first item's output lies: a view that is made once, since one item is computed at each move. */
  private readonly first: Float32Array;

  private constructor(
    private readonly x: Rows,
    private readonly y: Rows,
    private readonly batch: number,
    private readonly steps: readonly Step[],
    private readonly kernels: Kernels,
    private readonly memory: Float32Array,
    private readonly recipe: Recipe,
  ) {
    this.inputs = product(x.shape);
    this.outputs = product(y.shape);
    this.first = memory.subarray(y.at >> 2, (y.at >> 2) + this.outputs);
  }

  /**
   * layers: as the run lists them; name: what the names of their weights begin with; shape: of an item that goes in.
   * An Error says what does not fit together. `simd` false computes in JavaScript.
   */
  static async of(recipe: Recipe): Promise<Compiled> {
    const { plan, x, y } = laidOut(recipe);
    const { kernels, memory } = await machine(plan.bytes, recipe.simd);
    plan.fill(memory);
    return new Compiled(x, y, plan.batch, plan.steps, kernels, memory, recipe);
  }

  /** Puts other weights of the same layers in place of its own: those of a network that learns. */
  renew(weights: Weights): void {
    laidOut({ ...this.recipe, weights }).plan.fill(this.memory);
  }

  /** `count` items (count, inputs) through the network, into `out` (count, outputs). */
  run(values: Float32Array, count: number, out: Float32Array): Float32Array {
    const { inputs, outputs, memory } = this;
    for (let begin = 0; begin < count; begin += this.batch) {
      const items = Math.min(this.batch, count - begin);
      for (let i = 0; i < items; i++) {
        const to = (this.x.at + i * this.x.item) >> 2,
          from = (begin + i) * inputs;
        for (let k = 0; k < inputs; k++) memory[to + k] = values[from + k];
      }
      for (const step of this.steps) step(this.kernels, items);
      out.set(this.first, begin * outputs);
      for (let i = 1; i < items; i++) {
        const from = (this.y.at + i * this.y.item) >> 2;
        out.set(memory.subarray(from, from + outputs), (begin + i) * outputs);
      }
    }
    return out;
  }
}

function laidOut({ layers, weights, name, shape }: Recipe): { plan: Plan; x: Rows; y: Rows } {
  const plan = new Plan(batched(layers) ? TOGETHER : 1, (called) => {
    const found = weights.get(called);
    if (!found) throw new Error(`the weight ${called} is missing`);
    return found;
  });
  const x = plan.rows(shape);
  return { plan, x, y: plan.flat(compile(plan, layers, x, name)) };
}
