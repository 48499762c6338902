/** Who wins, in a sentence: the autoencoder or the best of the others, for as good an image. */

import { along, reaching, short } from "./chart";

export type Points = readonly (readonly [bytes: number, quality: number])[];

export interface Standing {
  /** Bytes an image, where the handle stands. */
  readonly rate: number;
  readonly images: number;
  /** The autoencoder's points, the decoder's part of each image included. */
  readonly mine: Points;
  readonly others: readonly { readonly title: string; readonly points: Points }[];
  /** Bytes of the decoder, null where it is not counted. */
  readonly decoder: number | null;
  /** Quality is SSIM, else PSNR in dB. */
  readonly similarity: boolean;
}

/** Sizes that differ by less are called equal. */
const EVEN = 0.02;
/** Decibels that stand for no error at all. */
const EXACT = 100;

export function verdict({ rate, images, mine, others, decoder, similarity }: Standing): string {
  const quality = (value: number) =>
    similarity ? `an SSIM of ${value.toFixed(2)}` : value >= EXACT ? "exactly the original" : `${value.toFixed(1)} dB`;
  const good = along(mine, rate);
  const most = mine[mine.length - 1];
  if (good === null) {
    const counted = decoder === null ? "" : `, its decoder counted and shared by ${images.toLocaleString("en")}`;
    return `This autoencoder needs ${formatBytes(mine[0][0])} an image at least${counted}.`;
  }
  if (rate > most[0] * (1 + EVEN)) {
    const best = others
      .map(({ title, points }) => ({ title, good: along(points, rate) ?? -Infinity }))
      .reduce((a, b) => (b.good > a.good ? b : a));
    if (best.good > good)
      return (
        `${best.title} wins: with ${formatBytes(rate)} an image it reaches ${quality(best.good)}. ` +
        `This autoencoder gets no better than ${quality(good)}, however many bytes it is given.`
      );
  }
  const needed = reaching(mine, good) ?? rate;
  let best: { title: string; bytes: number } | null = null;
  for (const { title, points } of others) {
    const bytes = reaching(points, good);
    if (bytes !== null && (!best || bytes < best.bytes)) best = { title, bytes };
  }
  if (!best) return `Nothing else here reaches ${quality(good)}.`;
  const sizes = `${formatBytes(needed)} an image with this autoencoder, ${formatBytes(best.bytes)} with ${best.title}`;
  const even = Math.abs(needed / best.bytes - 1) <= EVEN;
  const winner = even ? "A tie" : `${needed < best.bytes ? "The autoencoder" : best.title} wins`;
  return `${winner}: ${quality(good)} takes ${sizes}. ${counting(needed, best, decoder, images)}`;
}

/** From how many images on the autoencoder is smaller, its decoder counted. */
function counting(
  needed: number,
  best: { title: string; bytes: number },
  decoder: number | null,
  images: number,
): string {
  if (decoder === null) return "The decoder itself is not counted.";
  const counted = `Its decoder of ${kilobytes(decoder)} is counted:`;
  const alone = needed - decoder / images;
  if (alone >= best.bytes) return `${counted} even without it ${best.title} would be smaller.`;
  const from = Math.ceil(decoder / (best.bytes - alone)).toLocaleString("en", { maximumSignificantDigits: 2 });
  return `${counted} from ${from} images on this autoencoder beats ${best.title}.`;
}

export const formatBytes = (bytes: number): string =>
  bytes >= 10_000 ? kilobytes(bytes) : `${bytes >= 100 ? Math.round(bytes) : short(Number(bytes.toFixed(1)))} bytes`;

export const kilobytes = (bytes: number): string =>
  bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} KB`;
