/** How a run's codes are spread: a mixture of normal distributions, from which new codes are drawn. As models/density.py writes it. */

import { readWeights } from "./network";

/** The name of the file in a run's folder. */
export const DENSITY = "density.safetensors";

export class Density {
  private constructor(
    /** How many components. */
    readonly count: number,
    /** How many numbers a code has. */
    readonly size: number,
    private readonly weights: Float32Array,
    private readonly means: Float32Array,
    /** The lower triangles, row by row, of what unit normal numbers are multiplied by. */
    private readonly factors: Float32Array,
    /** How much of each component is of each class. */
    private readonly shares: Float32Array,
  ) {}

  /** An Error where the bytes are none. */
  static read(bytes: Uint8Array): Density {
    const arrays = readWeights(bytes);
    const get = (name: string) => {
      const found = arrays.get(name);
      if (!found) throw new Error(`a density has ${name}, which this one lacks`);
      return found;
    };
    const [weights, mean, unit] = [get("weights"), get("mean"), get("unit")];
    const [count, size] = [weights.length, mean.length];
    const means = get("means").map((value, i) => value * unit[i % size] + mean[i % size]);
    const factors = get("factors").slice();
    const triangle = (size * (size + 1)) / 2;
    if (!count || means.length !== count * size || factors.length !== count * triangle)
      throw new Error("the parts of a density do not fit together");
    for (let k = 0, at = 0; k < count; k++)
      for (let d = 0; d < size; d++) for (let e = 0; e <= d; e++) factors[at++] *= unit[d];
    return new Density(count, size, weights, means, factors, get("shares"));
  }

  /** Whether codes of one class can be drawn: components know of classes, and there are several. */
  get classed(): boolean {
    return this.count > 1 && this.shares.length > 0;
  }

  /**
   * The component that a number in [0, 1) falls on. Each has a part of that range as large as its weight. `of` says how much
   * each class counts; without it all count alike.
   */
  component(at: number, of?: (label: number) => number): number {
    const { count, weights, shares } = this;
    const classes = shares.length / count;
    const weigh = (k: number) => {
      if (!of || !classes) return weights[k];
      let part = 0;
      for (let c = 0; c < classes; c++) part += shares[k * classes + c] * of(c);
      return weights[k] * part;
    };
    let total = 0;
    for (let k = 0; k < count; k++) total += weigh(k);
    if (!(total > 0)) return this.component(at);
    let left = at * total;
    for (let k = 0; k < count; k++) {
      left -= weigh(k);
      if (left < 0) return k;
    }
    return count - 1;
  }

  /** Writes the code that unit normal numbers stand for in a component; temperature: how far it lies from its mean. */
  write(out: Float32Array, k: number, noise: ArrayLike<number>, temperature: number): void {
    const { size } = this;
    let at = (k * size * (size + 1)) / 2;
    for (let d = 0; d < size; d++) {
      let sum = 0;
      for (let e = 0; e <= d; e++) sum += this.factors[at++] * noise[e];
      out[d] = this.means[k * size + d] + temperature * sum;
    }
  }

  /** A new code. random: even numbers in [0, 1). */
  draw(random: () => number, temperature = 1, of?: (label: number) => number): Float32Array<ArrayBuffer> {
    const out = new Float32Array(this.size);
    const noise = Float32Array.from({ length: this.size }, () => normal(random));
    this.write(out, this.component(random(), of), noise, temperature);
    return out;
  }
}

/** A draw from the standard normal distribution (Box and Muller 1958). */
export const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * A new code of a run that says no more of its codes than mean and variance along each axis: one that was made before densities
 * were, or whose density cannot be read.
 */
export const aroundMean = (
  { mean, variance }: { mean: ArrayLike<number>; variance: ArrayLike<number> },
  random: () => number,
): Float32Array<ArrayBuffer> =>
  Float32Array.from(mean, (middle, d) => middle + Math.sqrt(variance[d]) * normal(random));
