/** What a network learns from here: the samples of a run that are at hand, else what its own decoder draws. */

import type { RunData } from "../data";
import type { Decoding } from "../decoding";
import { product } from "../maths";
import type { Lesson } from "./session";

const MOST = 5000, // samples
  VALUES = 16_000_000, // numbers of them all
  DECODED = 2000, // samples that a decoder draws
  AT_ONCE = 100;

/** Which samples are learnt from: those of the run, these and what was drawn, or what was drawn alone. */
export type From = "samples" | "both" | "drawings";

/** Samples spread over all that there are. */
export async function lessonOf(data: RunData, decoding: Pick<Decoding, "decoder">): Promise<Lesson> {
  const { card, labels } = data,
    each = product(card.dataset.shape),
    image = card.dataset.kind === "image";
  while (data.originals === "loading") await new Promise((later) => setTimeout(later, 50));
  const drawn = data.originals === "missing";
  const known = drawn
    ? card.codes.count
    : image
      ? (card.thumbnails?.count ?? card.codes.count)
      : Math.floor((data.samples?.length ?? 0) / each);
  const count = Math.min(known, drawn ? DECODED : MOST, Math.floor(VALUES / each));
  const positions = Int32Array.from({ length: count }, (_, i) => Math.floor((i * known) / count));
  const values = image ? new Uint8Array(count * each) : new Float32Array(count * each);
  const take = (i: number, sample: ArrayLike<number>) => {
    for (let k = 0; k < each; k++) values[i * each + k] = image ? Math.round(255 * sample[k]) : sample[k];
  };
  for (let i = 0; i < count; i++) {
    const at = positions[i],
      bytes = drawn ? null : data.bytesOf(at);
    if (bytes) values.set(bytes, i * each);
    else if (!drawn) take(i, data.original(at) ?? new Float32Array(each));
    else if (decoding.decoder) take(i, decoding.decoder.run(data.codeOf(at)));
    else throw new Error("neither the originals nor a decoder are here");
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise((later) => setTimeout(later)); // the pointer stays quick
  }
  return {
    card,
    samples: { values, count },
    positions,
    labels: labels && positions.map((at) => labels[at]),
    drawn,
    drawings: [],
    base: null,
  };
}

/** A lesson of images with drawings behind its samples, or in place of them. */
export function withDrawings(base: Lesson, from: From, drawings: readonly Float32Array[]): Lesson {
  if (from === "samples" || !drawings.length) return base;
  const { dataset } = base.card,
    each = product(dataset.shape);
  const kept = from === "both" ? base.positions.length : 0,
    count = kept + drawings.length;
  const values = new Uint8Array(count * each);
  values.set(base.samples.values.subarray(0, kept * each));
  drawings.forEach((drawing, k) => drawing.forEach((v, i) => (values[(kept + k) * each + i] = Math.round(255 * v))));
  // Where samples have classes, drawings are one more.
  const own = drawings.map(() => dataset.classes.length);
  const classes = base.labels ? [...dataset.classes, "drawn by you"] : dataset.classes;
  return {
    ...base,
    card: { ...base.card, dataset: { ...dataset, classes } },
    samples: { values, count },
    positions: Int32Array.from([...base.positions.subarray(0, kept), ...drawings.map((_, k) => -1 - k)]),
    labels: base.labels && Int32Array.from([...base.labels.subarray(0, kept), ...own]),
    drawings: [...drawings],
    base,
  };
}
