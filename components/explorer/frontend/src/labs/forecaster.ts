/**
 * The encoder-decoder of the lab Sequences: what may come next, while a pen draws what is given. It computes what
 * `models/analysis/forecasting.py` does, with the kernels of networks.
 */

import { Plan, panelsOf } from "../network/plan";
import type { Kernels } from "../network/kernels";
import { packed, padded } from "../network/layers/dense";
import { machine } from "../network/machine";
import type { Weights } from "../network/weights";

/** How a row of `steps` times `channels` is cut: which steps are given, and how many of them are one token. */
export interface Form {
  readonly steps: number;
  readonly channels: number;
  readonly given: number;
  readonly size: number;
}

/** What held-out rows tell: what was given of each (V, given C), and what each network missed there (M, V, write, size C). */
export interface Held {
  readonly given: Float32Array;
  readonly errors: Float32Array;
  /** How many draws the fan is made of, and how wide it is drawn. */
  readonly draws: number;
  readonly factor: number;
}

/** The rest (rest C), and draws of it. They are written over by the next. */
export interface Forecast {
  readonly mean: Float32Array;
  readonly draws: readonly Float32Array[];
}

const tokensOf = ({ steps, given, size }: Form) =>
  [Math.ceil(given / size), Math.ceil((steps - given) / size)] as const;

/** The nearest `count` of rows of numbers to one of them, the nearest first. */
export function nearest(rows: Float32Array, one: Float32Array, count: number): number[] {
  const size = one.length,
    total = rows.length / size;
  const far = new Float32Array(total);
  for (let r = 0, at = 0; r < total; r++) {
    let sum = 0;
    for (let k = 0; k < size; k++, at++) sum += (rows[at] - one[k]) ** 2;
    far[r] = sum;
  }
  return Array.from(far.keys())
    .sort((a, b) => far[a] - far[b] || a - b)
    .slice(0, count);
}

export class Forecaster {
  private readonly out: { mean: Float32Array; draws: Float32Array[] };

  private constructor(
    private readonly form: Form,
    private readonly held: Held,
    private readonly members: readonly Member[],
  ) {
    const rest = (form.steps - form.given) * form.channels;
    const rows = held.given.length / (form.given * form.channels);
    this.out = {
      mean: new Float32Array(rest),
      draws: Array.from({ length: Math.min(held.draws, rows) }, () => new Float32Array(rest)),
    };
  }

  /** weights: of each network, named as torch names them after its number: "0.reader.weight_ih_l0". */
  static async of(form: Form, count: number, weights: Weights, held: Held, simd = true): Promise<Forecaster> {
    const most = 1 + Math.ceil(held.draws / count);
    const members = await Promise.all(
      Array.from({ length: count }, (_, m) => Member.of(form, `${m}.`, weights, most, simd)),
    );
    return new Forecaster(form, held, members);
  }

  /** How many draws there are. */
  get count(): number {
    return this.out.draws.length;
  }

  /** What may follow (rest C) what is given (given C). */
  run(given: Float32Array): Forecast {
    const { out, members, held, form } = this;
    const similar = nearest(held.given, given, out.draws.length);
    const size = tokensOf(form)[1] * form.size * form.channels;
    const rows = held.given.length / given.length;
    out.mean.fill(0);
    members.forEach((member, m) => {
      const mine = similar.filter((_, d) => d % members.length === m);
      const errors = mine.map((row) => held.errors.subarray((m * rows + row) * size, (m * rows + row + 1) * size));
      const found = member.run(given, errors);
      for (let k = 0; k < out.mean.length; k++) out.mean[k] += found[0][k] / members.length;
      mine.forEach((_, i) => {
        const draw = out.draws[m + i * members.length];
        for (let k = 0; k < draw.length; k++) draw[k] = held.factor * (found[1 + i][k] - found[0][k]);
      });
    });
    for (const draw of out.draws) for (let k = 0; k < draw.length; k++) draw[k] += out.mean[k];
    return out;
  }
}

/** One recurrent layer as it lies in memory. */
interface Cell {
  readonly wi: number;
  readonly bi: number;
  readonly wh: number;
  readonly bh: number;
}

/** One network, with room for so many rows at once: the first without errors, the others each with its own. */
class Member {
  private kernels!: Kernels;
  private memory!: Float32Array;
  private readonly plan: Plan;
  private readonly reader: Cell;
  private readonly writer: Cell;
  private readonly w: number;
  private readonly b: number;
  private readonly units: number;
  private readonly width: number;
  private readonly read: number;
  private readonly write: number;
  /** Places in memory, and distances between rows, in bytes. */
  private readonly at: Record<"tokens" | "states" | "gates" | "recalled" | "seen" | "next" | "written", number>;
  private readonly far: Record<"token" | "state" | "gates" | "seen" | "written", number>;
  private readonly found: Float32Array[];

  private constructor(
    private readonly form: Form,
    name: string,
    weights: Weights,
    rows: number,
  ) {
    const plan = (this.plan = new Plan(1, (called) => {
      const found = weights.get(`${name}${called}`);
      if (!found) throw new Error(`the weight ${called} is missing`);
      return found;
    }));
    [this.read, this.write] = tokensOf(form);
    const width = (this.width = form.size * form.channels),
      units = (this.units = Math.round(Math.sqrt((weights.get(`${name}writer.weight_hh`)?.length ?? 0) / 3)));
    const gates = 3 * units;
    const part = (called: string, inputs: number) =>
      plan.constant(packed(plan.weight(called, gates, inputs), gates, inputs));
    const bias = (called: string) => plan.constant(padded(plan.weight(called, gates)));
    const cell = (called: string, end: string): Cell => ({
      wi: part(`${called}.weight_ih${end}`, width + 1),
      bi: bias(`${called}.bias_ih${end}`),
      wh: part(`${called}.weight_hh${end}`, units),
      bh: bias(`${called}.bias_hh${end}`),
    });
    this.reader = cell("reader", "_l0");
    this.writer = cell("writer", "");
    this.w = plan.constant(packed(plan.weight("out.weight", width, 2 * units), width, 2 * units));
    this.b = plan.constant(padded(plan.weight("out.bias", width)));
    const row = (count: number) => 4 * Math.ceil(count / 4) * 4;
    this.far = {
      token: row(width + 1),
      state: row(units),
      gates: 32 * panelsOf(gates),
      seen: row(2 * units),
      written: 32 * panelsOf(width),
    };
    const room = (bytes: number, count: number) => plan.room((bytes >> 2) * count);
    this.at = {
      tokens: room(this.far.token, this.read),
      states: room(this.far.state, this.read + 1), // the first is 0
      gates: room(this.far.gates, Math.max(rows, this.read)),
      recalled: room(this.far.gates, rows),
      seen: room(this.far.seen, rows), // a row's state, then what it looks at
      next: room(this.far.token, rows),
      written: room(this.far.written, rows),
    };
    this.found = Array.from({ length: rows }, () => new Float32Array((form.steps - form.given) * form.channels));
  }

  static async of(form: Form, name: string, weights: Weights, rows: number, simd: boolean): Promise<Member> {
    const member = new Member(form, name, weights, rows);
    const { kernels, memory } = await machine(member.plan.bytes, simd);
    member.plan.fill(memory);
    [member.kernels, member.memory] = [kernels, memory];
    return member;
  }

  /** The rest (rest C) without errors, then with each of these (write, size C). */
  run(given: Float32Array, errors: readonly Float32Array[]): readonly Float32Array[] {
    this.tokens(given);
    this.readAll();
    const { memory, at, far, width, units, read, write } = this,
      rows = 1 + errors.length;
    for (let r = 0; r < rows; r++) {
      const state = (at.states + read * far.state) >> 2,
        token = (at.tokens + (read - 1) * far.token) >> 2;
      memory.copyWithin((at.seen + r * far.seen) >> 2, state, state + units);
      memory.copyWithin((at.next + r * far.token) >> 2, token, token + width);
    }
    for (let i = 0; i < write; i++) {
      this.step(rows, this.place(read + i));
      for (let r = 0; r < rows; r++) {
        const from = (at.written + r * far.written) >> 2,
          to = (at.next + r * far.token) >> 2;
        for (let k = 0; k < width; k++) {
          const value = memory[from + k] + (r ? errors[r - 1][i * width + k] : 0);
          memory[to + k] = value;
          if (i * width + k < this.found[r].length) this.found[r][i * width + k] = value;
        }
      }
    }
    return this.found;
  }

  private place(token: number): number {
    return -1 + (2 * token) / (this.read + this.write - 1);
  }

  /** What is given as tokens, each with its place behind it; before the first step stands its value. */
  private tokens(given: Float32Array): void {
    const { memory, at, far, width, read, form } = this;
    const before = (read * form.size - form.given) * form.channels;
    for (let t = 0; t < read; t++) {
      const to = (at.tokens + t * far.token) >> 2;
      for (let k = 0; k < width; k++) {
        const from = t * width + k - before;
        memory[to + k] = given[from < 0 ? (t * width + k) % form.channels : from];
      }
      memory[to + width] = this.place(t);
    }
  }

  private readAll(): void {
    const { kernels: k, at, far, reader, width, units, read } = this,
      panels = panelsOf(3 * units);
    k.multiply(at.tokens, 0, far.token, 1, width + 1, 0, reader.wi, reader.bi, at.gates, 0, far.gates, 1, read, panels);
    for (let t = 0; t < read; t++) {
      const state = at.states + t * far.state;
      k.multiply(state, 0, 0, 1, units, 0, reader.wh, reader.bh, at.recalled, 0, 0, 1, 1, panels);
      k.gru(at.gates + t * far.gates, at.recalled, state, state + far.state, units);
    }
  }

  /** The next token of each row. */
  private step(rows: number, place: number): void {
    const { kernels: k, memory, at, far, writer, width, units } = this,
      panels = panelsOf(3 * units);
    for (let r = 0; r < rows; r++) memory[((at.next + r * far.token) >> 2) + width] = place;
    k.multiply(at.next, 0, far.token, 1, width + 1, 0, writer.wi, writer.bi, at.gates, 0, far.gates, 1, rows, panels);
    k.multiply(at.seen, 0, far.seen, 1, units, 0, writer.wh, writer.bh, at.recalled, 0, far.gates, 1, rows, panels);
    for (let r = 0; r < rows; r++) {
      const state = at.seen + r * far.seen;
      k.gru(at.gates + r * far.gates, at.recalled + r * far.gates, state, state, units);
      this.look(state >> 2);
    }
    const out = panelsOf(width);
    k.multiply(at.seen, 0, far.seen, 1, 2 * units, 0, this.w, this.b, at.written, 0, far.written, 1, rows, out);
  }

  /** Attention: behind a row's state comes the mean of the reader's states, those most that are like it. */
  private look(state: number): void {
    const { memory, at, far, units, read } = this;
    const first = (at.states + far.state) >> 2,
      apart = far.state >> 2,
      likeness = new Array<number>(read);
    for (let t = 0; t < read; t++) {
      let sum = 0;
      for (let u = 0; u < units; u++) sum += memory[first + t * apart + u] * memory[state + u];
      likeness[t] = sum / Math.sqrt(units);
    }
    const most = Math.max(...likeness);
    let total = 0;
    for (let t = 0; t < read; t++) total += likeness[t] = Math.exp(likeness[t] - most);
    for (let u = 0; u < units; u++) {
      let sum = 0;
      for (let t = 0; t < read; t++) sum += likeness[t] * memory[first + t * apart + u];
      memory[state + units + u] = sum / total;
    }
  }
}

/** The edges (low, high) of what holds this share of the draws at each number, as numpy's quantiles are. */
export function fanOf(draws: readonly Float32Array[], share: number, low: Float32Array, high: Float32Array): void {
  const column = new Float32Array(draws.length);
  const at = (q: number): number => {
    const place = q * (column.length - 1),
      below = Math.floor(place);
    return column[below] + (place - below) * (column[Math.min(column.length - 1, below + 1)] - column[below]);
  };
  for (let k = 0; k < low.length; k++) {
    for (let d = 0; d < draws.length; d++) column[d] = draws[d][k];
    column.sort();
    low[k] = at((1 - share) / 2);
    high[k] = at((1 + share) / 2);
  }
}
