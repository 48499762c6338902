/**
 * A dense autoencoder that learns, step by step: the mean squared error, of a variational one the evidence bound with a
 * variance that the samples decide (the app's `calibrated` loss), by Adam with the app's rates. A step allocates nothing.
 */

import { machine, type Machine } from "./kernels";
import type { Parameter } from "./layers";
import { laidOut, NORMALS, type Parts, type Samples } from "./plan";
import { normals, Random } from "./random";
import type { Spec } from "./spec";

const BETA1 = 0.9,
  BETA2 = 0.95,
  EPSILON = 1e-8;
const QUIET = -4; // log-variance of a code's distribution at first
const HELD = 10; // one of so many samples only judges
const FEW = 100; // below so many all of them are learnt

export class Trainer {
  /** Steps that were taken, and the steps that it is to take in all: the rate falls to zero by then. */
  steps = 0;
  planned: number;
  private from = 0;
  readonly perEpoch: number;
  /** Of the last step: the loss, its mean squared error, and the KL divergence in nats. */
  loss = NaN;
  error = NaN;
  kl = 0;
  /** The code of each sample, as the network last saw it. */
  readonly codes: Float32Array<ArrayBuffer>;
  /** The mean squared error of each sample, as it was last measured. */
  readonly errors: Float32Array<ArrayBuffer>;
  /** Samples that are learnt, and samples that only judge (the same ones where there are few). */
  readonly learning: Int32Array;
  readonly judging: Int32Array;

  private constructor(
    readonly spec: Spec,
    private readonly parts: Parts,
    private readonly computing: Machine,
    count: number,
    private readonly random: Random,
  ) {
    const { size, batch, epochs } = spec;
    this.codes = new Float32Array(count * size);
    this.errors = new Float32Array(count);
    const order = Int32Array.from({ length: count }, (_, i) => i);
    random.shuffle(order);
    const held = count < FEW ? 0 : Math.floor(count / HELD);
    this.judging = held ? order.slice(0, held) : order;
    this.learning = order.slice(held);
    this.perEpoch = Math.ceil(this.learning.length / batch);
    this.planned = epochs * this.perEpoch;
    this.begin();
  }

  static async of(spec: Spec, samples: Samples): Promise<Trainer> {
    const parts = laidOut(spec, samples);
    const computing = await machine(parts.bytes);
    if (samples.values instanceof Uint8Array) computing.bytes.set(samples.values, parts.samples);
    else
      for (let i = 0, at = parts.samples >> 2; i < samples.values.length; i++)
        computing.floats[at + i] = Number.isFinite(samples.values[i]) ? samples.values[i] : 0; // what is missing is the mean
    return new Trainer(spec, parts, computing, samples.count, new Random(spec.seed));
  }

  /** Back to the weights it began with is a new trainer of the same choices. */
  private begin(): void {
    const { parts, random, spec } = this;
    const { floats, words } = this.computing;
    const learnt = floats.subarray(parts.learnt.at >> 2, (parts.learnt.at >> 2) + parts.learnt.count);
    for (const layer of parts.layers) layer.begin?.(learnt, random);
    floats.set(normals(NORMALS), parts.normals >> 2);
    for (let i = 0; i < 4; i++) words[(parts.state >> 2) + i] = random.bits() | 1;
    const { weight, bias } = parts;
    if (spec.variational)
      for (let d = spec.size; d < 2 * spec.size; d++) {
        learnt[bias.code.place(d)] = QUIET;
        const inputs = weight.code.shape[1];
        for (let i = 0; i < inputs; i++) learnt[weight.code.place(d * inputs + i)] *= 0.1;
      }
    this.beginAtMean(learnt);
    this.measure(this.learning);
    this.measure(this.judging);
  }

  /** The network gives the mean sample at first. */
  private beginAtMean(learnt: Float32Array): void {
    const { parts, learning, spec } = this;
    const mean = new Float64Array(parts.input.count);
    for (let begin = 0; begin < learning.length; begin += spec.batch) {
      const rows = this.gather(learning, begin);
      for (let r = 0; r < rows; r++) {
        const from = (parts.clean.at + r * parts.clean.row) >> 2;
        for (let k = 0; k < mean.length; k++) mean[k] += this.computing.floats[from + k] / learning.length;
      }
    }
    for (let k = 0; k < mean.length; k++) {
      const value = Math.min(0.99, Math.max(0.01, mean[k]));
      learnt[parts.bias.sample.place(k)] = spec.pixels ? Math.log(value / (1 - value)) : mean[k];
    }
  }

  get epoch(): number {
    return this.steps / this.perEpoch;
  }

  get done(): boolean {
    return this.steps >= this.planned;
  }

  /** Goes on for so many epochs more. */
  extend(epochs: number): void {
    this.from = this.planned;
    this.planned += epochs * this.perEpoch;
  }

  /** Share of the rate: a rise over 5 % of the steps, then a cosine to zero, as the app has it. */
  private share(): number {
    const steps = this.planned - this.from,
      step = this.steps - this.from;
    const warm = Math.max(1, Math.floor(steps / 20));
    return step < warm
      ? (step + 1) / warm
      : 0.5 * (1 + Math.cos((Math.PI * (step - warm)) / Math.max(1, steps - warm)));
  }

  /** One step, of the next batch. */
  step(): void {
    const { spec, parts, computing, random } = this;
    const at = this.steps % this.perEpoch;
    if (at === 0) random.shuffle(this.learning);
    const rows = this.gather(this.learning, at * spec.batch);
    this.spoil(rows);
    this.backward(rows, this.normal);
    this.take(this.learning, at * spec.batch, rows);
    const share = this.share();
    this.steps++;
    const rate = (spec.rate * share) / (1 - BETA1 ** this.steps),
      root = 1 / Math.sqrt(1 - BETA2 ** this.steps);
    const { at: w, gradients, means, squares, count } = parts.learnt;
    computing.kernels.adam(w, gradients, means, squares, count, rate, root, BETA1, BETA2, EPSILON);
  }

  private readonly normal = (): number => this.random.normal();

  /** The loss of the rows that are gathered, and its gradient. dice: what variational codes are drawn with. */
  private backward(rows: number, dice: () => number): void {
    const { parts, spec } = this;
    const { kernels } = this.computing;
    this.encode(rows);
    if (spec.variational) this.draw(rows, dice);
    for (const layer of parts.decoder) layer.forward(kernels, rows);
    const { sample, clean, errors: off } = parts;
    const values = rows * clean.count;
    const squares = kernels.difference(sample.at, sample.row, clean.at, clean.row, off.error, clean.count, rows);
    this.error = squares / values;
    let scale = 2 / values;
    this.loss = this.error;
    if (spec.variational) {
      const error = Math.max(1e-8, this.error);
      scale = error > 1e-8 ? 1 / (rows * error) : 0;
      this.loss = (clean.count / 2) * (Math.log(2 * Math.PI * error) + 1) + this.kl;
    }
    kernels.times(off.error, scale, (rows * off.row) >> 2);
    for (let i = parts.decoder.length - 1; i >= 0; i--) parts.decoder[i].backward(kernels, rows, true);
    if (spec.variational) this.bring(rows);
    for (let i = parts.encoder.length - 1; i >= 0; i--) parts.encoder[i].backward(kernels, rows, i > 0);
  }

  private encode(rows: number): void {
    for (const layer of this.parts.encoder) layer.forward(this.computing.kernels, rows);
  }

  /** Puts samples from a place of a list on into the batch; returns how many. */
  private gather(list: Int32Array, begin: number): number {
    const { parts, computing, spec } = this;
    const rows = Math.min(spec.batch, list.length - begin),
      { clean, input } = parts;
    for (let r = 0; r < rows; r++) {
      const to = clean.at + r * clean.row,
        from = parts.samples + list[begin + r] * clean.count * (parts.bytewise ? 1 : 4);
      if (parts.bytewise) computing.kernels.widen(from, to, clean.count);
      else computing.floats.copyWithin(to >> 2, from >> 2, (from >> 2) + clean.count);
    }
    if (input.at !== clean.at)
      computing.floats.copyWithin(input.at >> 2, clean.at >> 2, (clean.at + rows * clean.row) >> 2);
    return rows;
  }

  /** Spoils the batch that goes in; what should come out stays clean. */
  private spoil(rows: number): void {
    const { spec, parts } = this;
    const { kernels } = this.computing;
    const { input, normals, state } = parts;
    if (spec.noise === "gaussian")
      for (let r = 0; r < rows; r++) {
        const at = input.at + r * input.row;
        kernels.addNoise(at, Math.ceil(input.count / 4) * 4, spec.level, spec.pixels, state, normals);
      }
    const channels = spec.pixels ? (spec.shape[2] ?? 1) : 1;
    if (spec.noise === "masking")
      for (let r = 0; r < rows; r++)
        kernels.mask(input.at + r * input.row, input.count / channels, channels, spec.level, state);
  }

  /** Keeps the codes of a batch. */
  private take(list: Int32Array, begin: number, rows: number): void {
    const { floats } = this.computing,
      { size } = this.spec,
      { code } = this.parts;
    for (let r = 0; r < rows; r++) {
      const from = (code.at + r * code.row) >> 2,
        to = list[begin + r] * size;
      for (let d = 0; d < size; d++) this.codes[to + d] = floats[from + d];
    }
  }

  /** Draws codes from their distributions (μ + σ ε, Kingma and Welling 2013), and tells their KL divergence. */
  private draw(rows: number, normal: (() => number) | null): void {
    const { floats } = this.computing,
      { size } = this.spec,
      { code, drawn, dice } = this.parts;
    let kl = 0;
    for (let r = 0; r < rows; r++) {
      const mean = (code.at + r * code.row) >> 2,
        out = (drawn.at + r * drawn.row) >> 2;
      for (let d = 0; d < size; d++) {
        const mu = floats[mean + d],
          log = floats[mean + size + d];
        kl += 0.5 * (mu * mu + Math.exp(log) - 1 - log);
        const epsilon = normal ? normal() : 0;
        floats[(dice >> 2) + r * size + d] = epsilon;
        floats[out + d] = mu + epsilon * Math.exp(0.5 * log);
      }
    }
    this.kl = kl / rows;
  }

  /** The error of drawn codes to their means and log-variances, with the KL's. */
  private bring(rows: number): void {
    const { floats } = this.computing,
      { size } = this.spec,
      { code, drawn, dice } = this.parts;
    for (let r = 0; r < rows; r++) {
      const mean = (code.at + r * code.row) >> 2,
        to = (code.error + r * code.row) >> 2,
        from = (drawn.error + r * drawn.row) >> 2;
      for (let d = 0; d < size; d++) {
        const log = floats[mean + size + d],
          epsilon = floats[(dice >> 2) + r * size + d],
          slope = floats[from + d];
        floats[to + d] = slope + floats[mean + d] / rows;
        floats[to + size + d] = 0.5 * slope * epsilon * Math.exp(0.5 * log) + (0.5 * (Math.exp(log) - 1)) / rows;
      }
    }
  }

  /** Encodes and decodes these samples as they are, keeps their codes and errors, and returns the mean of the errors. */
  measure(list: Int32Array): number {
    const { spec, parts } = this;
    const { kernels } = this.computing;
    const { sample, clean, errors: off } = parts;
    let sum = 0;
    for (let begin = 0; begin < list.length; begin += spec.batch) {
      const rows = this.gather(list, begin);
      this.encode(rows);
      this.take(list, begin, rows);
      if (spec.variational) this.draw(rows, null);
      for (const layer of parts.decoder) layer.forward(kernels, rows);
      for (let r = 0; r < rows; r++) {
        const y = sample.at + r * sample.row,
          x = clean.at + r * clean.row;
        const squares = kernels.difference(y, sample.row, x, clean.row, off.error + r * off.row, clean.count, 1);
        const error = squares / clean.count;
        this.errors[list[begin + r]] = error;
        sum += error;
      }
    }
    return sum / list.length;
  }

  /** The loss and its gradient of these samples, at most a batch; dice: what variational codes are drawn with. */
  slope(list: Int32Array, dice: () => number): { loss: number; gradient: Map<string, Float32Array<ArrayBuffer>> } {
    this.backward(this.gather(list, 0), dice);
    return { loss: this.loss, gradient: this.read(this.parts.learnt.gradients) };
  }

  /** All that is learnt, as torch names and shapes it. */
  weights(): Map<string, Float32Array<ArrayBuffer>> {
    return this.read(this.parts.learnt.at);
  }

  get parameters(): readonly Parameter[] {
    return this.parts.layers.flatMap((layer) => layer.parameters);
  }

  /** Takes weights of the same names and shapes in place of its own. */
  load(weights: ReadonlyMap<string, ArrayLike<number>>): void {
    const { floats } = this.computing,
      first = this.parts.learnt.at >> 2;
    for (const { name, shape, place } of this.parameters) {
      const given = weights.get(name);
      if (given?.length !== shape.reduce((all, n) => all * n, 1)) throw new Error(`the weight ${name} does not fit`);
      for (let k = 0; k < given.length; k++) floats[first + place(k)] = given[k];
    }
  }

  private read(block: number): Map<string, Float32Array<ArrayBuffer>> {
    const { floats } = this.computing,
      first = block >> 2;
    return new Map(
      this.parameters.map(({ name, shape, place }) => {
        const out = new Float32Array(shape.reduce((all, n) => all * n, 1));
        for (let k = 0; k < out.length; k++) out[k] = floats[first + place(k)];
        return [name, out];
      }),
    );
  }
}
