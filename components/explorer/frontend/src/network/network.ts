/**
 * The run's two networks in the browser. One item is computed on the page's own thread: that takes less than a message
 * to a worker and back. Many at once are a worker's.
 */

import type { RunCard } from "../card";
import { Fault, messageOf } from "../fault";
import { product } from "../maths";
import type { RunFolder } from "../run";
import { Compiled, readWeights } from ".";

export type Which = "encoder" | "decoder";

/** A network as it travels to a worker. */
export interface Parts {
  readonly layers: unknown;
  readonly name: string;
  readonly shape: readonly number[];
  /** A safetensors file with its weights. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly simd?: boolean;
}

export class Network {
  private constructor(
    private readonly compiled: Compiled,
    /** How many values come out. */
    readonly size: number,
    /** What a worker needs to compute the same. */
    public parts: Parts,
  ) {}

  /** Loads one of the two; a `Fault` where its layers and weights do not fit together. */
  static async load(folder: RunFolder, card: RunCard, which: Which): Promise<Network> {
    const [layers, bytes] = await Promise.all([folder.layers(card), folder.bytes(`${which}.safetensors`)]);
    const [shape, size] =
      which === "decoder" ? [[card.codes.size], product(card.dataset.shape)] : [card.dataset.shape, card.codes.size];
    try {
      const parts = { layers: layers[which], name: which, shape };
      const compiled = await Compiled.of({ ...parts, weights: readWeights(bytes) });
      // A variational encoder gives the means of the code first, then the logarithms of its variances.
      const given = which === "encoder" && card.architecture.variational ? 2 * size : size;
      if (compiled.outputs !== given) throw new Error(`it gives ${compiled.outputs} numbers instead of ${given}`);
      return new Network(compiled, size, { ...parts, bytes });
    } catch (error) {
      throw new Fault(
        `the ${which} of this run cannot be computed in the browser (${messageOf(error).slice(0, 160)})`,
        "train or export this run again",
      );
    }
  }

  /** Takes other weights of the same layers. */
  renew(bytes: Uint8Array<ArrayBuffer>): void {
    this.compiled.renew(readWeights(bytes));
    this.parts = { ...this.parts, bytes };
  }

  /** The outputs of `count` items one after the other, of a network whose every output is wanted. */
  all(values: Float32Array, count: number): Float32Array {
    return this.compiled.run(values, count, new Float32Array(count * this.compiled.outputs));
  }

  /** The output of one item, written into `out` where that is given. */
  run(values: Float32Array, out?: Float32Array): Float32Array {
    const { compiled, size } = this;
    const all = this.compiled.run(
      values,
      1,
      out?.length === compiled.outputs ? out : new Float32Array(compiled.outputs),
    );
    return all.length === size ? all : all.subarray(0, size);
  }
}
