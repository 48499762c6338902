/** What Python computed about the bytes of images, checked and unpacked. */

import { objectOf, type Json } from "../card";
import { amount } from "../colours";
import { cutTiles } from "./tiles";

export interface Point {
  readonly rate: number;
  readonly alone: number | null;
  readonly psnr: number;
  readonly ssim: number | null;
  /** Bytes of what PCA needs once for all images. */
  readonly basis: number;
}

export interface Method {
  readonly name: string;
  readonly title: string;
  readonly lossless: boolean;
  readonly points: readonly Point[];
  /** Pixels of each point and each image shown; none of the run's own, which are decoded here. */
  readonly pictures: readonly (readonly Uint8Array[])[];
}

export interface Answer {
  readonly id: string;
  readonly shape: readonly [number, number, number];
  /** Numbers of one image. */
  readonly size: number;
  /** Images that are shown. */
  readonly count: number;
  readonly shares: readonly number[];
  readonly methods: readonly Method[];
  readonly decoder: readonly { readonly bits: number; readonly bytes: number; readonly lost: number }[];
  readonly codes: readonly (readonly number[])[];
  readonly mean: readonly number[];
  readonly step: readonly number[];
  readonly originals: readonly Uint8Array[];
}

/** The answer, with its pictures cut from the one that they travel in. */
export async function readAnswer(data: Json): Promise<Answer> {
  const facts = objectOf(data["facts"]);
  const shape = facts["shape"] as [number, number, number];
  const codes = data["codes"] as number[][];
  const methods = facts["methods"] as Method[];
  const tiles = await cutTiles(String(data["pictures"]), shape, codes.length);
  let row = 1;
  const withPictures = methods.map((method) => {
    if (method.name === "run") return { ...method, pictures: [] };
    const pictures = method.points.map(() => tiles[row++]);
    return { ...method, pictures };
  });
  return {
    id: String(data["id"]),
    shape,
    size: shape[0] * shape[1] * shape[2],
    count: codes.length,
    shares: facts["shares"] as number[],
    methods: withPictures,
    decoder: facts["decoder"] as Answer["decoder"],
    codes,
    mean: data["mean"] as number[],
    step: data["step"] as number[],
    originals: tiles[0],
  };
}

/** The code of an image as it is after so many bytes: its numbers rounded to the step that takes about as many. */
export function decodedAt(answer: Answer, image: number, rate: number): Float32Array<ArrayBuffer> {
  const { points } = answer.methods[0];
  let share = answer.shares[answer.shares.length - 1];
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i].rate, points[i + 1].rate];
    if (rate <= b) {
      const between = Math.max(0, Math.log(rate / a) / Math.log(b / a));
      share = answer.shares[i] * (answer.shares[i + 1] / answer.shares[i]) ** between;
      break;
    }
  }
  return Float32Array.from(answer.codes[image], (value, d) => {
    const step = share * answer.step[d];
    return answer.mean[d] + step * Math.round((value - answer.mean[d]) / step);
  });
}

/** Peak signal-to-noise ratio of pixels from 0 to 255, in dB. */
export function psnrOf(values: ArrayLike<number>, truth: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (values[i] - truth[i]) ** 2;
  return 10 * Math.log10((255 * 255 * truth.length) / Math.max(sum, 1e-9));
}

/** How far pixels are off, as colours from dark (not at all) to yellow (by a quarter of the range or more). */
export function errorMap(
  values: ArrayLike<number>,
  truth: ArrayLike<number>,
  shape: readonly number[],
): Uint8ClampedArray {
  const channels = shape[2],
    count = shape[0] * shape[1];
  const out = new Uint8ClampedArray(count * channels);
  for (let i = 0; i < count; i++) {
    let off = 0;
    for (let c = 0; c < channels; c++) off += Math.abs(values[i * channels + c] - truth[i * channels + c]) / channels;
    const share = Math.min(1, off / 64);
    if (channels === 1) out[i] = 255 * share;
    else amount(share).forEach((value, c) => (out[i * channels + c] = value));
  }
  return out;
}
