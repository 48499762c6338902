/** The codes of a sheet: the same random numbers while settings change, so that each sample changes and none jumps. */

import { normal } from "../density";
import type { Answer } from "./generate-answer";
import { randomFrom } from "./spoiling";

export interface Settings {
  readonly way: string;
  /** A class to draw from alone; -1 for all. */
  readonly label: number;
  readonly temperature: number;
  readonly attribute: number;
  readonly step: number;
}

export class Draws {
  private readonly even: Float32Array;
  private readonly noise: Float32Array;

  constructor(
    seed: number,
    readonly count: number,
    private readonly size: number,
  ) {
    const random = randomFrom(seed);
    this.even = Float32Array.from({ length: count }, random);
    this.noise = Float32Array.from({ length: count * size }, () => normal(random));
  }

  /** Writes the i-th code into `out`. stored: what a kernel density begins with, of each class. */
  write(
    out: Float32Array,
    i: number,
    answer: Answer,
    { way, label, temperature, attribute, step }: Settings,
    stored: Stored | null,
  ): void {
    const { size } = this;
    const noise = this.noise.subarray(i * size, (i + 1) * size);
    const density = answer.densities.get(way);
    if (density) {
      const of = label < 0 ? undefined : (c: number) => (c === label ? 1 : 0);
      density.write(out, density.component(this.even[i], of), noise, temperature);
    } else if (way === "kernel" && stored) {
      const places = stored.of(label);
      const from = places[Math.floor(this.even[i] * places.length)] * size;
      for (let d = 0; d < size; d++) {
        let sum = 0;
        for (let e = 0; e <= d; e++) sum += answer.kernel[d][e] * noise[e];
        out[d] = stored.codes[from + d] + temperature * sum;
      }
    } else for (let d = 0; d < size; d++) out[d] = temperature * noise[d];
    if (attribute >= 0) for (let d = 0; d < size; d++) out[d] += step * answer.directions[attribute][d];
  }
}

/** The run's codes of training samples, by class. */
export class Stored {
  private readonly places = new Map<number, readonly number[]>();

  constructor(
    readonly codes: Float32Array,
    private readonly labels: Int32Array | null,
    /** Whether each code is of a training sample. */
    readonly isTrain: (index: number) => boolean,
    private readonly count: number,
  ) {}

  /** The places of the codes of a class; of all where there is none such, or it is -1. */
  of(label: number): readonly number[] {
    let found = this.places.get(label);
    if (!found) {
      const every = Array.from({ length: this.count }, (_, i) => i).filter(this.isTrain);
      const some = label < 0 ? every : every.filter((i) => this.labels?.[i] === label);
      found = some.length ? some : every;
      this.places.set(label, found);
    }
    return found;
  }
}

/** Whether the i-th bit is set, the highest of each byte first (as numpy packs them). */
export const bit = (bytes: Uint8Array, i: number): boolean => ((bytes[i >> 3] >> (7 - (i & 7))) & 1) === 1;
