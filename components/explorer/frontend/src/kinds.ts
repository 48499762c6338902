/** What the numbers of a signal or of a table row mean: columns, units, categories. Touches no page. */

import { quantiles } from "./maths";

/** A column as run.json keeps it (models/columns.py): of a row some of its features, of a signal one channel. */
export interface Column {
  readonly name: string;
  readonly kind: string;
  readonly start: number;
  readonly width: number;
  readonly mean: number;
  readonly deviation: number;
  readonly values: readonly string[];
  /** Above 0, a number is seen as asinh((x - centre) / linear_width), of which mean and deviation then are. */
  readonly linear_width?: number;
  readonly centre?: number;
}

/** What a category is called where no feature of its column is above 0. */
export const MISSING = "–";

/**
 * The columns of a dataset that is no image, checked: together they are all features, or all channels. Runs from before
 * there were columns, and malformed ones, get numbered columns in standard deviations, as a model sees them.
 */
export function columnsOf(kind: string, shape: readonly number[], stored: unknown): Column[] {
  const features = shape[shape.length - 1];
  const columns: Column[] = [];
  let end = 0;
  for (const one of Array.isArray(stored) ? (stored as readonly unknown[]) : []) {
    const column = columnOf(one, end);
    if (!column) break;
    columns.push(column);
    end += column.width;
  }
  if (Array.isArray(stored) && columns.length === stored.length && end === features) return columns;
  const word = kind === "signal" ? "channel" : "feature";
  return Array.from({ length: features }, (_, i) => ({
    name: `${word} ${i + 1}`,
    kind: "number",
    start: i,
    width: 1,
    mean: 0,
    deviation: 1,
    values: [],
  }));
}

/** A stored column that starts at feature `start`; null when it is malformed. */
function columnOf(stored: unknown, start: number): Column | null {
  if (typeof stored !== "object" || stored === null) return null;
  const column = stored as Readonly<Record<string, unknown>>;
  const { name, kind, width, mean, deviation, values = [], linear_width: linear = 0, centre = 0 } = column;
  if (typeof name !== "string" || column["start"] !== start) return null;
  if (typeof width !== "number" || !Number.isInteger(width) || width < 1 || !Array.isArray(values)) return null;
  const [middle, spread] = [Number(mean), Number(deviation)];
  const isNumber = width === 1 && isFiniteNumber(mean) && isFiniteNumber(deviation) && deviation > 0;
  if (kind !== "number" && kind !== "category") return null;
  if (kind === "number" ? !isNumber : values.length !== width) return null;
  if (!isFiniteNumber(linear) || linear < 0 || !isFiniteNumber(centre)) return null;
  const plain = { name, kind, start, width, mean: middle, deviation: spread, values: values.map(String) };
  return linear ? { ...plain, linear_width: linear, centre } : plain;
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** A number as a model sees it, in the person's own unit. */
export function inUnit(column: Column, value: number): number {
  const told = value * column.deviation + column.mean;
  return column.linear_width ? (column.centre ?? 0) + column.linear_width * Math.sinh(told) : told;
}

/** The inverse of `inUnit`. */
export function asSeen(column: Column, value: number): number {
  const told = column.linear_width ? Math.asinh((value - (column.centre ?? 0)) / column.linear_width) : value;
  return (told - column.mean) / column.deviation;
}

/**
 * Says the numbers of a column in its own unit: two digits of its deviation are worth reading, more are noise. Very
 * large and very small ones are said with three digits and a power of ten.
 */
export function formatter(column: Column): (value: number) => string {
  const deviation = column.deviation * (column.linear_width || 1);
  const power = Math.floor(Math.log10(deviation) + 1e-9);
  const size = Math.max(deviation, Math.abs(inUnit(column, 0)));
  const minus = (text: string) => text.replace(/^-(?=[0.,]*$)/, "").replace("-", "\u2212");
  if (size >= 1e7 || deviation < 1e-4)
    return (value) => (Number.isFinite(value) ? minus(inUnit(column, value).toExponential(2)) : "–");
  const digits = Math.max(0, 1 - power);
  const format = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => (Number.isFinite(value) ? minus(format.format(inUnit(column, value))) : "–");
}

/** Which value of a category is likeliest: the greatest of its features; -1 where none is above 0. */
export function likeliest(column: Column, values: ArrayLike<number>, offset: number): number {
  let best = -1,
    greatest = 0;
  for (let i = 0; i < column.width; i++) {
    const v = values[offset + column.start + i];
    if (v > greatest) [best, greatest] = [i, v];
  }
  return best;
}

/** The features of a category as shares of one; a decoder's small negative ones count as none. All 0 where none is above 0. */
export function shares(column: Column, values: ArrayLike<number>, offset: number): number[] {
  const out = Array.from({ length: column.width }, (_, i) => Math.max(0, values[offset + column.start + i]) || 0);
  const sum = out.reduce((a, b) => a + b, 0);
  return sum ? out.map((v) => v / sum) : out;
}

/**
 * Says the numbers of a column as they came: 112,645.5. Standardised they are float32, which tells so many decimals apart;
 * a "missing" one is no number.
 */
export function asTheyCame(column: Column): (value: number) => string {
  return (value) => {
    if (!Number.isFinite(value)) return "missing";
    const real = inUnit(column, value);
    const next = inUnit(column, value + 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23)); // the next float32
    const step = Math.max(Math.abs(next - real), 2 ** -50 * (Math.abs(real) + Math.abs(column.mean)), 1e-12);
    const digits = Math.max(0, Math.min(12, Math.floor(-Math.log10(step))));
    return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(real).replace("-", "\u2212");
  };
}

/** A value of a row in words: a number in its unit, or the likeliest category, `unknown` where there is none. */
export function cell(
  column: Column,
  say: (value: number) => string,
  values: ArrayLike<number>,
  offset = 0,
  unknown = MISSING,
): string {
  if (column.kind === "number") return say(values[offset + column.start]);
  return column.values[likeliest(column, values, offset)] ?? unknown;
}

/** How many samples a channel's range is taken from: more would not move it. */
const MAX_SAMPLES = 2000;

/** From where to where a channel is drawn, standardised: what the real samples fill, else three deviations either way. */
export function rangeOf(
  samples: Float32Array | null,
  steps: number,
  channels: number,
  channel: number,
): [low: number, high: number] {
  let low = -3,
    high = 3;
  if (samples?.length) {
    const size = steps * channels,
      count = Math.floor(samples.length / size);
    const every = Math.max(1, Math.floor(count / MAX_SAMPLES));
    const seen: number[] = [];
    for (let m = 0; m < count; m += every)
      for (let t = 0; t < steps; t++) seen.push(samples[m * size + t * channels + channel]);
    // One sample with a spike in it would leave all the others flat.
    [low, high] = quantiles(seen, [0.001, 0.999]);
  }
  const margin = (high - low) * 0.08 || 0.5;
  return [low - margin, high + margin];
}

/** Which of `count` equally tall items lie between `from` and `from + height`: first and one past the last. */
export const inView = (count: number, tall: number, from: number, height: number): [first: number, end: number] => [
  Math.max(0, Math.min(count, Math.floor(from / tall))),
  Math.max(0, Math.min(count, Math.ceil((from + height) / tall))),
];
