/** How a network is laid out in one memory: its values, its weights, and the steps from the first to the last. */

import { product } from "../maths";
import { FIRST, type Kernels } from "./kernels";

/** One computation on the values of so many items. */
export type Step = (kernels: Kernels, items: number) => void;

/** Values in the order of their shape. Distances are in bytes: between items of a batch, and between rows (last axes). */
export interface Rows {
  readonly kind: "rows";
  readonly at: number;
  readonly shape: readonly number[];
  readonly item: number;
  readonly row: number;
}

/** An image inside a network, as (height, width, channels): distances in bytes between its lines and its pixels. */
export interface Picture {
  readonly kind: "picture";
  readonly at: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly line: number;
  readonly pixel: number;
  readonly border: Border;
}

export type Value = Rows | Picture;

/** Zeros that lie around a picture: a convolution then asks for no edges. */
export interface Border {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const NO_BORDER: Border = { top: 0, left: 0, bottom: 0, right: 0 };

const upTo = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Outputs are computed in panels of eight. */
export const panelsOf = (outputs: number): number => Math.ceil(outputs / 8);

export class Plan {
  readonly steps: Step[] = [];
  private readonly contents: { at: number; values: ArrayLike<number> }[] = [];
  private end = FIRST;

  /** batch: how many items are computed at once, at most. */
  constructor(
    readonly batch: number,
    private readonly weightsOf: (name: string) => Float32Array,
  ) {}

  /** The weight of that name with that many numbers; an Error otherwise. */
  weight(name: string, ...shape: number[]): Float32Array {
    const found = this.weightsOf(name);
    if (found.length !== product(shape))
      throw new Error(`the weight ${name} has ${found.length} numbers instead of ${product(shape)}`);
    return found;
  }

  /** The bytes that everything takes. */
  get bytes(): number {
    return this.end;
  }

  /** Room for so many numbers, and for what is computed beyond the last of them. */
  room(count: number): number {
    const at = this.end;
    this.end += 4 * upTo(count + 8, 4);
    return at;
  }

  /** Numbers that never change. */
  constant(values: ArrayLike<number>): number {
    const at = this.room(values.length);
    this.contents.push({ at, values });
    return at;
  }

  step(step: Step): void {
    this.steps.push(step);
  }

  /** Put the numbers that never change where they belong, once. */
  fill(memory: Float32Array): void {
    for (const { at, values } of this.contents) memory.set(values, at >> 2);
    this.contents.length = 0;
  }

  /** A new vector of each item, with room up to the end of its last panel. */
  vector(size: number): Rows {
    const item = 4 * upTo(size, 8);
    return { kind: "rows", at: this.room((this.batch * item) >> 2), shape: [size], item, row: item };
  }

  /** New rows without gaps. */
  rows(shape: readonly number[]): Rows {
    const item = 4 * upTo(product(shape), 4);
    const row = 4 * (shape.at(-1) ?? 1);
    return {
      kind: "rows",
      at: this.room((this.batch * item) >> 2),
      shape,
      item,
      row: shape.length === 1 ? item : row,
    };
  }

  /** A new picture with zeros around it. */
  picture(channels: number, height: number, width: number, border: Border): Picture {
    const pixel = 4 * upTo(channels, 8),
      line = pixel * (border.left + width + border.right);
    const at = this.room((line * (border.top + height + border.bottom)) >> 2);
    return {
      kind: "picture",
      at: at + border.top * line + border.left * pixel,
      channels,
      height,
      width,
      line,
      pixel,
      border,
    };
  }

  /** The steps from values of one layout to another: three axes with their distances on both sides. */
  copy(x: number, y: number, sizes: readonly number[], from: readonly number[], to: readonly number[]): void {
    const [n0, n1, n2] = sizes,
      [x0, x1, x2] = from,
      [y0, y1, y2] = to;
    this.step((kernels) => kernels.copy(x, y, n0, n1, n2, x0, x1, x2, y0, y1, y2));
  }

  /** Values as a picture; what are no pixels yet is in the order of (channels, height, width), and gets these zeros around. */
  pictured(x: Value, border: Border): Picture {
    if (x.kind === "picture") return x;
    const [channels, height, width] = x.shape;
    const y = this.picture(channels, height, width, border);
    const wide = 4 * width;
    this.copy(x.at, y.at, [height, width, channels], [wide, 4, height * wide], [y.line, y.pixel, 4]);
    return y;
  }

  /** The values without gaps between rows, a picture as (channels, height, width). */
  flat(x: Value): Rows {
    if (x.kind === "picture") {
      const y = this.rows([x.channels, x.height, x.width]);
      const wide = 4 * x.width;
      const to = [wide, 4, x.height * wide];
      this.copy(x.at, y.at, [x.height, x.width, x.channels], [x.line, x.pixel, 4], to);
      return y;
    }
    const size = x.shape.at(-1) ?? 1;
    if (x.shape.length === 1 || x.row === 4 * size) return x;
    const y = this.rows(x.shape),
      count = product(x.shape) / size;
    this.copy(x.at, y.at, [1, count, size], [0, x.row, 4], [0, y.row, 4]);
    return y;
  }

  /** The same values at a place of their own, so that they may be changed. */
  own(x: Value): Value {
    if (x.kind === "picture") {
      const y = this.picture(x.channels, x.height, x.width, NO_BORDER);
      this.copy(x.at, y.at, [x.height, x.width, x.pixel >> 2], [x.line, x.pixel, 4], [y.line, y.pixel, 4]);
      return y;
    }
    const flat = this.flat(x),
      y = this.rows(x.shape),
      size = product(x.shape);
    this.step((kernels, items) => kernels.copy(flat.at, y.at, 1, items, size, 0, flat.item, 4, 0, y.item, 4));
    return y;
  }
}

/** Lines of values that lie one after the other: how many an item has, how far apart they are, and how long each is. */
export function linesOf(x: Value): { lines: number; line: number; count: number } {
  if (x.kind === "picture") return { lines: x.height, line: x.line, count: (x.width * x.pixel) >> 2 };
  const size = x.shape.at(-1) ?? 1,
    count = product(x.shape);
  return x.shape.length > 1 && x.row > 4 * size
    ? { lines: count / size, line: x.row, count: size }
    : { lines: 1, line: x.item, count };
}
