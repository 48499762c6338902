/** The layers of a network that learns: each computes forwards, and brings the error of what it gave back to what it got. */

import { apart, type Arena, type Kernels } from "./kernels";
import type { Random } from "./random";

/** Rows of a batch, each with room for its numbers and zeros; and where their errors come back to. */
export interface Values {
  readonly at: number;
  readonly error: number;
  readonly count: number;
  readonly row: number;
}

export function values(arena: Arena, rows: number, count: number, error = true): Values {
  const row = apart(32 * Math.ceil(count / 8));
  const size = row * Math.ceil(rows / 4) * 4;
  return { at: arena.room(size), error: error ? arena.room(size) : 0, count, row };
}

/** Something that is learnt, as torch has it: its name, its shape, and where each of its numbers lies. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** The place of number k among all that is learnt. */
  readonly place: (k: number) => number;
}

export interface Layer {
  readonly y: Values;
  readonly parameters: readonly Parameter[];
  forward(kernels: Kernels, rows: number): void;
  /** `further` is whether anything before it wants the error. */
  backward(kernels: Kernels, rows: number, further: boolean): void;
  /** The numbers that it begins with. */
  begin?(weights: Float32Array, random: Random): void;
}

/** Where what is learnt lies: one block of numbers, with blocks of the same size for gradients and for Adam. */
export class Learnt {
  count = 0;
  /** The first byte of the block; known once all layers have their places. */
  at = 0;
  gradients = 0;
  means = 0;
  squares = 0;

  /** Places for so many numbers; the first of them. */
  take(count: number): number {
    const first = this.count;
    this.count += Math.ceil(count / 16) * 16;
    return first;
  }

  settle(arena: Arena): void {
    [this.at, this.gradients, this.means, this.squares] = [0, 0, 0, 0].map(() => arena.room(4 * this.count));
  }
}

/** Where each dense layer turns its weights round: one place for all, as large as the largest needs, and zeros. */
export class Turned {
  at = 0;
  zeros = 0;
  private most = 0;
  private widest = 0;

  take(bytes: number, inputs: number): void {
    this.most = Math.max(this.most, bytes);
    this.widest = Math.max(this.widest, inputs);
  }

  settle(arena: Arena): void {
    this.at = arena.room(this.most);
    this.zeros = arena.room(4 * this.widest + 32);
  }
}

export class Dense implements Layer {
  readonly parameters: readonly Parameter[];
  private readonly panel: number;
  private readonly panels: number;
  private readonly weight: number;
  private readonly bias: number;
  private readonly turnedPanel: number;

  constructor(
    private readonly learnt: Learnt,
    private readonly x: Values,
    readonly y: Values,
    private readonly turned: Turned,
    name: string,
  ) {
    const [inputs, outputs] = [x.count, y.count];
    this.panels = Math.ceil(outputs / 8);
    this.turnedPanel = apart(256 * this.panels);
    turned.take(this.turnedPanel * Math.ceil(inputs / 8), inputs);
    this.panel = apart(32 * Math.ceil(inputs / 4) * 4);
    const panel = this.panel >> 2;
    const weight = (this.weight = learnt.take(panel * this.panels));
    const bias = (this.bias = learnt.take(8 * this.panels));
    const placeOf = (output: number, input: number) => weight + (output >> 3) * panel + 8 * input + (output & 7);
    this.parameters = [
      { name: `${name}.weight`, shape: [outputs, inputs], place: (k) => placeOf(Math.floor(k / inputs), k % inputs) },
      { name: `${name}.bias`, shape: [outputs], place: (k) => bias + k },
    ];
  }

  /** Glorot and Bengio 2010, and zeros. */
  begin(weights: Float32Array, random: Random): void {
    const { x, y, parameters } = this;
    const most = Math.sqrt(6 / (x.count + y.count));
    for (let k = 0; k < x.count * y.count; k++) weights[parameters[0].place(k)] = most * (2 * random.share() - 1);
    for (let k = 0; k < y.count; k++) weights[parameters[1].place(k)] = 0;
  }

  forward(kernels: Kernels, rows: number): void {
    const { x, y, panel, panels, learnt } = this;
    const w = learnt.at + 4 * this.weight,
      b = learnt.at + 4 * this.bias;
    kernels.forward(x.at, x.row, x.count, w, panel, panels, b, y.at, y.row, rows);
  }

  backward(kernels: Kernels, rows: number, further: boolean): void {
    const { x, y, panel, panels, learnt } = this;
    const dw = learnt.gradients + 4 * this.weight,
      db = learnt.gradients + 4 * this.bias;
    kernels.gradient(x.at, x.row, x.count, y.error, y.row, dw, panel, panels, db, rows);
    if (!further) return;
    const w = learnt.at + 4 * this.weight;
    const { at, zeros } = this.turned,
      { turnedPanel } = this;
    kernels.turn(w, panel, panels, x.count, at, turnedPanel);
    kernels.forward(y.error, y.row, 8 * panels, at, turnedPanel, Math.ceil(x.count / 8), zeros, x.error, x.row, rows);
  }
}

/** A function of each value. What comes out has a place of its own; the error is one for both. */
export class Each implements Layer {
  readonly y: Values;
  readonly parameters = [];
  private readonly slope: "reluSlope" | "geluSlope" | "logisticSlope";

  constructor(
    private readonly x: Values,
    arena: Arena,
    rows: number,
    private readonly kind: "relu" | "gelu" | "logistic",
  ) {
    this.slope = `${kind}Slope`;
    this.y = { ...values(arena, rows, x.count, false), error: x.error };
  }

  forward(kernels: Kernels, rows: number): void {
    kernels[this.kind](this.x.at, this.y.at, (rows * this.x.row) >> 2);
  }

  backward(kernels: Kernels, rows: number): void {
    kernels[this.slope](this.x.at, this.y.at, this.x.error, (rows * this.x.row) >> 2);
  }
}

/** Each row to mean 0 and variance 1, then times a weight plus a bias. Rows are a multiple of four numbers. */
export class LayerNorm implements Layer {
  readonly y: Values;
  readonly parameters: readonly Parameter[];
  private readonly weight: number;
  private readonly bias: number;
  private readonly scales: number;

  constructor(
    private readonly learnt: Learnt,
    private readonly x: Values,
    arena: Arena,
    rows: number,
    name: string,
  ) {
    this.y = { ...values(arena, rows, x.count, false), error: x.error };
    this.scales = arena.room(4 * rows);
    const weight = (this.weight = learnt.take(x.count)),
      bias = (this.bias = learnt.take(x.count));
    this.parameters = [
      { name: `${name}.weight`, shape: [x.count], place: (k) => weight + k },
      { name: `${name}.bias`, shape: [x.count], place: (k) => bias + k },
    ];
  }

  begin(weights: Float32Array): void {
    weights.fill(1, this.weight, this.weight + this.x.count);
    weights.fill(0, this.bias, this.bias + this.x.count);
  }

  forward(kernels: Kernels, rows: number): void {
    const { x, y, learnt, scales } = this;
    kernels.normalise(x.at, y.at, x.row, scales, learnt.at + 4 * this.weight, learnt.at + 4 * this.bias, x.count, rows);
  }

  backward(kernels: Kernels, rows: number): void {
    const { x, learnt, scales } = this;
    const w = learnt.at + 4 * this.weight,
      dw = learnt.gradients + 4 * this.weight,
      db = learnt.gradients + 4 * this.bias;
    kernels.normaliseSlope(x.at, x.error, x.row, scales, w, dw, db, x.count, rows);
  }
}
