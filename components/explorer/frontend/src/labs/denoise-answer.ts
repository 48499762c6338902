/** What Python measured about cleaning noisy samples, checked and unpacked. */

import type { Fit } from "../about";
import { objectOf, type Json } from "../card";
import { product } from "../maths";
import { Compiled, readWeights } from "../network";
import { bytesOf } from "./parts";
import { cutTiles } from "./tiles";

export interface Method {
  readonly name: string;
  readonly title: string;
  readonly library: string;
  readonly setting: string;
  readonly psnr: number;
  readonly ssim: number | null;
  /** The share of the samples that are read correctly. */
  readonly read: number | null;
}

export interface Measured {
  readonly name: string;
  readonly level: number;
  readonly title: string;
  readonly methods: readonly Method[];
  readonly verdict: string;
}

export interface Answer {
  readonly kind: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly classes: readonly string[];
  readonly noises: readonly Measured[];
  /** How drawings are fitted, as the dataset's own images were. */
  readonly fit: Fit | null;
  /** The classifier; null where samples have no classes. */
  readonly reader: Compiled | null;
  readonly labels: readonly number[];
  /** Samples as a network sees them. */
  readonly originals: readonly Float32Array[];
  /** What each method made of the first few of them: by noise, method and sample. */
  readonly examples: readonly (readonly (readonly Float32Array[])[])[];
}

export async function readAnswer(data: Json): Promise<Answer> {
  const facts = objectOf(data["facts"]);
  const [kind, shape] = [String(facts["kind"]), facts["shape"] as number[]];
  const noises = facts["noises"] as Measured[];
  const labels = data["labels"] as number[];
  const rows = await samplesOf(data, kind, shape);
  const across = Number(data["across"]);
  const examples = noises.map(({ methods }, n) =>
    methods.map((_, m) => rows.slice(labels.length + (n * methods.length + m) * across).slice(0, across)),
  );
  return {
    kind,
    shape,
    size: product(shape),
    classes: facts["classes"] as string[],
    noises,
    fit: (data["fit"] as Fit | undefined) ?? null,
    reader: await readerOf(objectOf(facts)["reader"], data["reader"], shape),
    labels,
    originals: rows.slice(0, labels.length),
    examples,
  };
}

/** All samples that travel: originals, then examples in their order. Images lie in one picture, others are float32. */
async function samplesOf(data: Json, kind: string, shape: readonly number[]): Promise<Float32Array[]> {
  if (kind === "image") {
    const tiles = (await cutTiles(String(data["pictures"]), shape, Number(data["columns"]))).flat();
    return tiles.map((pixels) => Float32Array.from(pixels, (value) => value / 255));
  }
  const values = new Float32Array(bytesOf(String(data["values"])).buffer);
  const size = product(shape);
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
}

async function readerOf(about: unknown, weights: unknown, shape: readonly number[]): Promise<Compiled | null> {
  if (typeof about !== "object" || about === null || typeof weights !== "string") return null;
  const { layers } = objectOf(about);
  return Compiled.of({ layers, name: "reader", shape, weights: readWeights(bytesOf(weights)) });
}
