/** What Python found about how sequences go on, checked and unpacked; and the plain methods, which go on here, too. */

import { objectOf, type Json } from "../card";
import { readWeights } from "../network";
import type { Weights } from "../network/weights";
import { bytesOf } from "./parts";
import { Forecaster, nearest, type Form } from "./forecaster";

export interface Method {
  readonly name: string;
  readonly title: string;
  readonly error: number;
  /** The squared error at each step of the rest. */
  readonly horizon: readonly number[];
}

/** A channel and its unit: a value is `mean + deviation * number`, where that is known. */
export interface Channel {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
}

/** What gives the rest of what is given. */
export type Predict = (given: Float32Array) => Float32Array;

export interface Answer {
  readonly form: Form;
  readonly methods: readonly Method[];
  readonly channels: readonly Channel[];
  /** The least and the greatest number that is drawn. */
  readonly range: readonly [number, number];
  /** Test rows, whole, and which rows of the dataset they are. */
  readonly shown: readonly Float32Array[];
  readonly rows: readonly number[];
  readonly forecaster: Forecaster;
  /** Plain methods by their names, the best first. */
  readonly plain: ReadonlyMap<string, Predict>;
}

const tensor = (tensors: Weights, name: string): Float32Array => {
  const found = tensors.get(name);
  if (!found) throw new Error(`${name} is missing`);
  return found;
};

export async function readAnswer(data: Json): Promise<Answer> {
  const facts = objectOf(data["facts"]);
  const form = data["form"] as Form;
  const tensors = readWeights(bytesOf(String(data["numbers"])));
  const size = form.steps * form.channels;
  const all = tensor(tensors, "shown");
  const held = {
    given: tensor(tensors, "held"),
    errors: tensor(tensors, "errors"),
    draws: Number(data["draws"]),
    factor: Number(facts["factor"]),
  };
  return {
    form,
    methods: facts["methods"] as Method[],
    channels: data["channels"] as Channel[],
    range: data["range"] as [number, number],
    shown: Array.from({ length: all.length / size }, (_, i) => all.subarray(i * size, (i + 1) * size)),
    rows: data["rows"] as number[],
    forecaster: await Forecaster.of(form, Number(data["members"]), tensors, held),
    plain: plainOf(form, objectOf(facts["chosen"]), tensors),
  };
}

/** The plain methods that go on in the browser, as scikit-learn fits them. */
export function plainOf(form: Form, chosen: Json, tensors: Weights): Map<string, Predict> {
  const train = tensor(tensors, "train"),
    rest = tensor(tensors, "rest");
  const wide = form.given * form.channels,
    long = (form.steps - form.given) * form.channels;
  const rows = train.length / wide;
  const number = (method: string, name: string) => Number(objectOf(chosen[method])[name]);
  const gamma = number("kernel", "gamma"),
    dual = tensor(tensors, "dual"),
    count = number("neighbours", "n_neighbors"),
    weight = tensor(tensors, "ridge.weight"),
    bias = tensor(tensors, "ridge.bias");
  const [byKernel, byNeighbours, byRidge] = [0, 1, 2].map(() => new Float32Array(long));
  return new Map<string, Predict>([
    [
      "kernel",
      (given) => {
        byKernel.fill(0);
        for (let r = 0, at = 0; r < rows; r++) {
          let far = 0;
          for (let k = 0; k < wide; k++, at++) far += (train[at] - given[k]) ** 2;
          const like = Math.exp(-gamma * far);
          if (like > 1e-9) for (let k = 0; k < long; k++) byKernel[k] += like * dual[r * long + k];
        }
        return byKernel;
      },
    ],
    [
      "neighbours",
      (given) => {
        byNeighbours.fill(0);
        for (const r of nearest(train, given, count))
          for (let k = 0; k < long; k++) byNeighbours[k] += rest[r * long + k] / count;
        return byNeighbours;
      },
    ],
    [
      "ridge",
      (given) => {
        for (let k = 0; k < long; k++) {
          let sum = bias[k];
          for (let i = 0; i < wide; i++) sum += weight[k * wide + i] * given[i];
          byRidge[k] = sum;
        }
        return byRidge;
      },
    ],
  ]);
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MOST = 40; // letters of a value in the address

/** What was drawn (count,) as a few letters, one for each of evenly spaced places; `low` and `high` are the ends of what they tell. */
export function lettersOf(values: Float32Array, [low, high]: readonly [number, number]): string {
  const places = Math.min(MOST, values.length);
  return Array.from({ length: places }, (_, i) => {
    const value = values[Math.round((i * (values.length - 1)) / Math.max(1, places - 1))];
    const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
    return LETTERS[Math.round(share * 63)];
  }).join("");
}

/** The way back, on straight lines between the places; null where they are no such letters. */
export function valuesOf(letters: string, count: number, [low, high]: readonly [number, number]): Float32Array | null {
  const told = [...letters].map((letter) => LETTERS.indexOf(letter));
  if (told.length !== Math.min(MOST, count) || told.includes(-1)) return null;
  return Float32Array.from({ length: count }, (_, k) => {
    const place = (k * (told.length - 1)) / Math.max(1, count - 1),
      below = Math.floor(place),
      above = Math.min(told.length - 1, below + 1);
    const share = told[below] + (place - below) * (told[above] - told[below]);
    return low + ((high - low) * share) / 63;
  });
}
