/** What Python computed about the bytes of images, checked and unpacked. */

import { objectOf, type Json } from "../card";
import { amount } from "../colours";

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
  /** What a file holds of each image shown, for each share. */
  readonly codes: readonly (readonly (readonly number[])[])[];
  readonly originals: readonly Uint8Array[];
}

/** The answer, with its pictures cut from the one that they travel in. */
export async function readAnswer(data: Json): Promise<Answer> {
  const facts = objectOf(data["facts"]);
  const shape = facts["shape"] as [number, number, number];
  const codes = data["codes"] as number[][][];
  const count = codes[0].length;
  const methods = facts["methods"] as Method[];
  const tiles = await cutTiles(String(data["pictures"]), shape, count);
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
    count,
    shares: facts["shares"] as number[],
    methods: withPictures,
    decoder: facts["decoder"] as Answer["decoder"],
    codes,
    originals: tiles[0],
  };
}

/** A picture of rows of `across` images each, as their pixels (H, W, C). */
async function cutTiles(url: string, shape: readonly number[], across: number): Promise<Uint8Array[][]> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.drawImage(image, 0, 0);
  const [height, width, channels] = shape;
  const out: Uint8Array[][] = [];
  for (let y = 0; y + height <= image.height; y += height) {
    out.push(
      Array.from({ length: across }, (_, k) => {
        const { data } = context.getImageData(k * width, y, width, height);
        const pixels = new Uint8Array(height * width * channels);
        for (let i = 0; i < height * width; i++)
          for (let c = 0; c < channels; c++) pixels[i * channels + c] = data[4 * i + c];
        return pixels;
      }),
    );
  }
  return out;
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
