/** Stars for things become a place on the map and guesses for all other things: two small networks, in numbers alone. */

import { objectOf, type Json } from "../card";
import { bytesOf } from "./parts";

export interface Thing {
  readonly name: string;
  /** What it is, and a line on it, where that is known. */
  readonly group?: string;
  readonly line?: string;
}

export type Place = readonly [x: number, y: number];
/** Stars, 1 to 5, by the place of the thing. */
export type Stars = ReadonlyMap<number, number>;

export interface Reason {
  /** A thing that was rated, and how many stars more are foretold because of it. */
  readonly thing: number;
  readonly by: number;
}

export interface Foretold {
  readonly thing: number;
  /** 1 to 5, with a fraction. */
  readonly stars: number;
}

interface Layer {
  /** (outputs, inputs), row by row. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export const MOST = 5; // stars

/** What Python knows of the things and the people. */
export class Taste {
  readonly things: readonly Thing[];
  readonly counts: readonly number[];
  readonly places: readonly Place[];
  readonly people: readonly Place[];
  readonly labels: readonly number[];
  readonly classes: readonly string[];
  readonly first: readonly number[];
  private readonly usual: readonly number[];
  private readonly low: number;
  private readonly high: number;
  private readonly deviation: number;
  private readonly damping: number;
  private readonly net: readonly Layer[];
  private readonly encoder: readonly Layer[];
  private readonly decoder: readonly Layer[];

  constructor(data: Json) {
    const facts = objectOf(data["facts"]);
    this.things = facts["things"] as Thing[];
    this.classes = facts["classes"] as string[];
    [this.low, this.high] = [Number(facts["low"]), Number(facts["high"])];
    [this.deviation, this.damping] = [Number(facts["deviation"]), Number(facts["damping"])];
    this.counts = data["counts"] as number[];
    this.usual = data["usual"] as number[];
    this.places = data["places"] as Place[];
    this.people = data["people"] as Place[];
    this.labels = data["labels"] as number[];
    this.first = data["first"] as number[];
    const parts = layersOf(data["shapes"] as [string, number[]][], halves(String(data["weights"])));
    const of = (name: string) => parts.get(name) ?? [];
    [this.net, this.encoder, this.decoder] = [of("net"), of("encoder"), of("decoder")];
  }

  /** Stars as ratings on the scale of the data, and back. */
  private rating = (stars: number): number => this.low + ((stars - 1) / (MOST - 1)) * (this.high - this.low);
  private asStars = (rating: number): number =>
    1 + ((MOST - 1) * (Math.min(this.high, Math.max(this.low, rating)) - this.low)) / (this.high - this.low);

  /** What both networks see: residuals less a person's own mean, then which are known; and that mean. */
  private seen(stars: Stars, without = -1): { readonly input: Float32Array; readonly mean: number } {
    const count = this.things.length;
    const input = new Float32Array(2 * count);
    let [sum, known] = [0, 0];
    for (const [thing, given] of stars) {
      if (thing === without) continue;
      input[thing] = (this.rating(given) - this.usual[thing]) / this.deviation;
      input[count + thing] = 1;
      sum += input[thing];
      known++;
    }
    const mean = sum / (known + this.damping);
    for (const thing of stars.keys()) if (thing !== without) input[thing] -= mean;
    return { input, mean };
  }

  /** Where somebody who gave these stars stands on the map. */
  place(stars: Stars): Place {
    const [x, y] = through(this.encoder, this.seen(stars).input);
    return [x, y];
  }

  /** Stars foretold for every thing. */
  foretell(stars: Stars, without = -1): number[] {
    const { input, mean } = this.seen(stars, without);
    return this.scaled(through(this.net, input), mean);
  }

  /** What somebody who stands there on the map would give, with the usual mean. */
  at(place: Place): number[] {
    return this.scaled(through(this.decoder, Float32Array.from(place)), 0);
  }

  private scaled(out: Float32Array, mean: number): number[] {
    return Array.from(out, (value, i) => this.asStars(this.usual[i] + this.deviation * (value + mean)));
  }

  /** The best of what is foretold, without what was rated. */
  best(foretold: readonly number[], rated: Stars, count: number): Foretold[] {
    return foretold
      .map((stars, thing) => ({ thing, stars }))
      .filter(({ thing }) => !rated.has(thing))
      .sort((a, b) => b.stars - a.stars)
      .slice(0, count);
  }

  /** For some things which rating moved each most: what is foretold less what would be without that rating, the largest first. */
  why(stars: Stars, things: readonly number[]): Map<number, Reason[]> {
    const whole = this.foretell(stars);
    const out = new Map<number, Reason[]>(things.map((thing) => [thing, []]));
    for (const rated of stars.keys()) {
      const without = this.foretell(stars, rated);
      for (const thing of things) out.get(thing)!.push({ thing: rated, by: whole[thing] - without[thing] });
    }
    for (const reasons of out.values()) reasons.sort((a, b) => b.by - a.by);
    return out;
  }

  /** Which class most of the nearest people are of, and how many of how many; null without classes. */
  among([x, y]: Place, count = 50): { readonly label: string; readonly share: number; readonly of: number } | null {
    if (!this.classes.length) return null;
    const nearest = this.people
      .map(([px, py], i) => ({ i, far: (px - x) ** 2 + (py - y) ** 2 }))
      .sort((a, b) => a.far - b.far)
      .slice(0, count);
    const counts = new Array<number>(this.classes.length).fill(0);
    for (const { i } of nearest) if (this.labels[i] >= 0) counts[this.labels[i]]++;
    const most = Math.max(...counts);
    return { label: this.classes[counts.indexOf(most)], share: most, of: nearest.length };
  }
}

/** Dense layers, tanh between them. Most inputs of the first are 0 and cost nothing. */
function through(layers: readonly Layer[], input: Float32Array): Float32Array {
  let x = input;
  layers.forEach(({ weight, bias }, at) => {
    const out = Float32Array.from(bias);
    for (let i = 0; i < x.length; i++) {
      if (x[i] === 0) continue;
      for (let o = 0; o < out.length; o++) out[o] += weight[o * x.length + i] * x[i];
    }
    if (at < layers.length - 1) for (let o = 0; o < out.length; o++) out[o] = Math.tanh(out[o]);
    x = out;
  });
  return x;
}

function layersOf(shapes: readonly [string, number[]][], values: Float32Array): Map<string, Layer[]> {
  const found = new Map<string, Float32Array>();
  let at = 0;
  for (const [name, shape] of shapes) {
    const size = shape.reduce((a, b) => a * b, 1);
    found.set(name, values.subarray(at, (at += size)));
  }
  const out = new Map<string, Layer[]>();
  for (const [name] of shapes) {
    const [part, place, what] = name.split(".");
    if (what !== "weight") continue;
    const layers = out.get(part) ?? [];
    layers[Number(place)] = { weight: found.get(name)!, bias: found.get(`${part}.${place}.bias`)! };
    out.set(part, layers);
  }
  return out;
}

/** Numbers of 16 bits (IEEE 754), in base64, little end first. */
export function halves(text: string): Float32Array {
  const bytes = bytesOf(text);
  const out = new Float32Array(bytes.length / 2);
  for (let i = 0; i < out.length; i++) {
    const bits = bytes[2 * i] | (bytes[2 * i + 1] << 8);
    const [exponent, rest] = [(bits >> 10) & 31, bits & 1023];
    const size = exponent ? 2 ** (exponent - 15) * (1 + rest / 1024) : (2 ** -14 * rest) / 1024;
    out[i] = bits & 0x8000 ? -size : size;
  }
  return out;
}

/** Stars as a link has them: of each thing two digits to the base 36, then the stars. */
export const written = (stars: Stars): string =>
  [...stars].map(([thing, given]) => thing.toString(36).padStart(2, "0") + String(given)).join("");

/** What `written` gave; what is not understood is left out. */
export function readStars(text: string, count: number): Map<number, number> {
  const out = new Map<number, number>();
  for (const part of text.match(/[0-9a-z]{2}[1-5]/g) ?? []) {
    const thing = parseInt(part.slice(0, 2), 36);
    if (thing < count) out.set(thing, Number(part[2]));
  }
  return out;
}
