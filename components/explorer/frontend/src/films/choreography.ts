/**
 * What each frame of a film shows, in numbers alone. models/films/choreography.py says the same for the shell, and a test
 * compares the two frame by frame.
 */

import { byUse, pointOnPath, type Plane } from "../maths";

/** The training, a walk between samples, each number of the code by itself, a loop through the map. */
export type What = "replay" | "path" | "dimensions" | "walk";

/** Frames of a film, seconds, frames a second and pixels of a side: from, to. */
export const FRAMES = [2, 1500] as const,
  SECONDS = [0.5, 60] as const,
  RATES = [1, 50] as const,
  SIZES = [96, 1024] as const;
/** So many dimensions and stops a film has where nobody chose. */
const DIMENSIONS = 10,
  STOPS = 5;
/** Hundredths of a second that the map stays once it has formed. */
const REST = 100;
/** How far from the middle the walk goes, in standard deviations. */
const REACH = 1.5;

export interface Codes {
  readonly size: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly variance: readonly number[];
  readonly kl: readonly number[] | null;
  readonly dead: readonly boolean[];
}

/** The seconds that suit a film where nobody chose: of a path with so many legs, of so many dimensions. */
export const usualSeconds = (what: What, parts: number): number =>
  what === "path" ? 1.5 * parts : what === "dimensions" ? 2 * parts : 6;

export const framesOf = (seconds: number, rate: number): number => Math.floor(seconds * rate + 0.5);

/** How long each frame is shown, in hundredths of a second, in which GIF counts: together as long as was asked. */
export function hundredthsOf(what: What, count: number, rate: number): number[] {
  const end = (frames: number) => Math.floor((100 * frames) / rate + 0.5);
  const out = Array.from({ length: count }, (_, k) => end(k + 1) - end(k));
  if (what === "replay") out[count - 1] += REST;
  return out;
}

/** How far frame `k` is, from 0 to 1. The first frame of a loop comes after its last, once more. */
const share = (k: number, count: number, loop: boolean): number => k / (loop ? count : count - 1);

const frames = (count: number, at: (k: number) => Float32Array): Float32Array[] =>
  Array.from({ length: count }, (_, k) => at(k));

/** From stop to stop with equal speed; a loop goes back to the first. */
export function path(stops: readonly Float32Array[], count: number, loop: boolean, spherical = false): Float32Array[] {
  const all = loop ? [...stops, stops[0]] : stops;
  return frames(count, (k) => pointOnPath(all, share(k, count, loop), spherical));
}

/** Each of these numbers goes down to where few samples are lower, up, and back, while the others are held. */
export function dimensions(
  base: Float32Array,
  { low, high }: Pick<Codes, "low" | "high">,
  order: readonly number[],
  count: number,
  loop: boolean,
): Float32Array[] {
  return frames(count, (k) => {
    const [d, at] = dimensionAt(order, k, count, loop);
    const to = (value: number) => base.map((v, i) => (i === d ? value : v));
    return pointOnPath([base, to(low[d]), to(high[d]), base], at, false);
  });
}

/** Which dimension moves in frame `k`, and how far it is on its way. */
export function dimensionAt(
  order: readonly number[],
  k: number,
  count: number,
  loop: boolean,
): readonly [dimension: number, share: number] {
  const at = share(k, count, loop) * order.length,
    which = Math.min(order.length - 1, Math.floor(at));
  return [order[which], at - which];
}

/** The dimensions that say something, the most informative first. */
export function dimensionsOf({ kl, variance, dead }: Pick<Codes, "kl" | "variance" | "dead">): number[] {
  const order = byUse(kl ?? variance);
  const alive = order.filter((d) => !dead[d]);
  return (alive.length ? alive : order).slice(0, DIMENSIONS);
}

/** Once around the middle of the plane's points. */
export function walk(plane: Plane, base: Float32Array, count: number, loop: boolean): Float32Array[] {
  const across = spread(plane.xy, 0),
    up = spread(plane.xy, 1);
  return frames(count, (k) => {
    const angle = 2 * Math.PI * share(k, count, loop);
    return plane.move!(
      base,
      across.mean + REACH * across.deviation * Math.cos(angle),
      up.mean + REACH * up.deviation * Math.sin(angle),
    );
  });
}

function spread(xy: ArrayLike<number>, first: 0 | 1): { mean: number; deviation: number } {
  let [n, sum, squares] = [0, 0, 0];
  for (let i = first; i < xy.length; i += 2) if (Number.isFinite(xy[i])) [n, sum] = [n + 1, sum + xy[i]];
  const mean = n ? sum / n : 0;
  for (let i = first; i < xy.length; i += 2) if (Number.isFinite(xy[i])) squares += (xy[i] - mean) ** 2;
  return { mean, deviation: n ? Math.sqrt(squares / n) : 1 };
}

/** Where between the stored epochs each frame is: 0 the first of them, 1 the second. It never goes back. */
export const epochs = (count: number, stored: number): number[] =>
  Array.from({ length: count }, (_, k) => (k / (count - 1)) * (stored - 1));

/**
 * The samples that a path leads through where nobody set stops: of some classes the one in the middle, where it is of its
 * kind. Without classes some as they come.
 */
export function stopsOf(
  codes: Float32Array,
  size: number,
  labels: ArrayLike<number> | null,
  classes: number,
): number[] {
  const count = Math.floor(codes.length / size);
  const finite = (i: number) => {
    for (let d = 0; d < size; d++) if (!Number.isFinite(codes[i * size + d])) return false;
    return true;
  };
  const sums = Array.from({ length: classes }, () => new Float64Array(size + 1)); // the last counts
  const usable: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!finite(i)) continue;
    usable.push(i);
    const of = sums[labels?.[i] ?? -1] as Float64Array | undefined;
    if (!of) continue;
    for (let d = 0; d < size; d++) of[d] += codes[i * size + d];
    of[size]++;
  }
  const present = [...sums.keys()].filter((c) => sums[c][size]);
  if (present.length < 2)
    return [1, 3, 5, 7].map((part) => usable[Math.floor((part * usable.length) / 8)]).filter((i) => i !== undefined);
  const chosen =
    present.length > STOPS
      ? Array.from({ length: STOPS }, (_, i) => present[Math.floor((i * present.length) / STOPS)])
      : present;
  const nearest = new Map(chosen.map((c) => [c, [-1, Infinity]]));
  for (const i of usable) {
    const best = nearest.get(labels![i]);
    if (!best) continue;
    const sum = sums[labels![i]];
    let far = 0;
    for (let d = 0; d < size; d++) far += (codes[i * size + d] - sum[d] / sum[size]) ** 2;
    if (far < best[1]) nearest.set(labels![i], [i, far]);
  }
  return chosen.map((c) => nearest.get(c)![0]);
}
