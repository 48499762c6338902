/** What Python computed about drawing new samples, checked and unpacked. */

import { objectOf, type Json } from "../card";
import { Density } from "../density";
import { bytesOf } from "./parts";

export interface Way {
  readonly name: string;
  readonly title: string;
  readonly setting: string;
  /** Whether the run's own decoder makes the samples. */
  readonly ours: boolean;
  readonly distance: number;
  readonly precision: number;
  readonly recall: number;
  /** The share that is nearer to a training sample than nearly all unseen real ones. */
  readonly copies: number | null;
}

export interface Attribute {
  readonly name: string;
  readonly class: boolean;
  readonly asked: readonly number[];
  readonly reached: readonly number[];
  readonly others: readonly number[] | null;
}

export interface Answer {
  readonly id: string;
  readonly classes: readonly string[];
  readonly floor: number;
  readonly ways: readonly Way[];
  readonly chosen: string;
  readonly verdict: string;
  /** The title of the plain way that the verdict is about. */
  readonly against: string;
  /** A distance that hardly any unseen real sample is nearer to a training sample than. */
  readonly close: number;
  readonly attributes: readonly Attribute[];
  readonly directions: readonly (readonly number[])[];
  /** Densities by the names of ways. */
  readonly densities: ReadonlyMap<string, Density>;
  /** What a kernel density adds to a code: rows of a lower triangular matrix, already as wide as it is. */
  readonly kernel: readonly (readonly number[])[];
  /** Which stored codes are of training samples. */
  readonly train: Uint8Array;
}

export function readAnswer(data: Json): Answer {
  const facts = objectOf(data["facts"]);
  const packed = Object.entries(objectOf(data["densities"]));
  return {
    id: String(data["id"]),
    classes: facts["classes"] as string[],
    floor: Number(facts["floor"]),
    ways: facts["ways"] as Way[],
    chosen: String(facts["chosen"]),
    verdict: String(facts["verdict"]),
    against: String(facts["against"]),
    close: Number(objectOf(facts["copies"])["close"]),
    attributes: facts["attributes"] as Attribute[],
    directions: data["directions"] as number[][],
    densities: new Map(packed.map(([name, text]) => [name, Density.read(bytesOf(String(text)))])),
    kernel: data["kernel"] as number[][],
    train: bytesOf(String(data["train"])),
  };
}

/** How many components a way's mixture has; null where it is none of those that differ in that alone. */
export const componentsOf = (name: string): number | null =>
  name.startsWith("mixture-") ? Number(name.slice("mixture-".length)) : null;

/** What a step along an attribute did to real samples, between what was measured. */
export function effect(attribute: Attribute, step: number): string {
  const at = (values: readonly number[]) => between(attribute.asked, values, step);
  if (attribute.class)
    return `At this step ${Math.round(100 * at(attribute.reached))} % of test samples are read as ${attribute.name}; ${Math.round(100 * attribute.reached[0])} % without it.`;
  const other = attribute.others ? ` Another one moves by up to ${Math.abs(at(attribute.others)).toFixed(2)}.` : "";
  return `Asked for ${signed(step)}, measured ${signed(at(attribute.reached))} standard deviations of ${attribute.name}.${other}`;
}

const signed = (value: number): string => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(1)}`;

function between(xs: readonly number[], ys: readonly number[], x: number): number {
  for (let i = 1; i < xs.length; i++)
    if (x <= xs[i]) return ys[i - 1] + ((ys[i] - ys[i - 1]) * (x - xs[i - 1])) / (xs[i] - xs[i - 1]);
  return ys[ys.length - 1];
}
