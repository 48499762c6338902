/** Noise on a sample, as training puts it there (models/noise.py), and what a simple filter makes of it. Touches no page. */

/** A sample is an image (H, W, C) in [0, 1], or a signal (T, C) or row (F,) of standardised values. */
export interface Form {
  readonly image: boolean;
  readonly shape: readonly number[];
}

/** Random numbers of one sample. They stay while the level changes, so that the same noise grows and falls. */
export interface Draws {
  /** One from a normal distribution for each value. */
  readonly normal: Float32Array;
  /** One in [0, 1) for each pixel, or each value of what is no image. */
  readonly even: Float32Array;
}

/** Even random numbers in [0, 1) that a seed fixes (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function drawsOf({ image, shape }: Form, seed: number): Draws {
  const random = randomFrom(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    normal: Float32Array.from(
      { length: size },
      () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
    ),
    even: Float32Array.from({ length: image ? size / (shape[2] ?? 1) : size }, random),
  };
}

export const KINDS = [
  ["none", "none"],
  ["gaussian", "Gaussian"],
  ["salt-and-pepper", "salt and pepper"],
  ["masking", "masking (values become 0)"],
] as const;
export type Noise = (typeof KINDS)[number][0];

/** Puts a noise of this kind and level (as a configuration has it, in [0, 1]) on values, in their place. */
export function spoil(values: Float32Array, form: Form, kind: Noise, level: number, draws: Draws): void {
  if (kind === "none" || level === 0) return;
  const { image, shape } = form;
  if (kind === "gaussian") {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] + level * draws.normal[i];
      values[i] = image ? Math.min(1, Math.max(0, value)) : value;
    }
    return;
  }
  const each = image ? (shape[2] ?? 1) : 1; // whole pixels, not single colours of one
  let [low, high] = [0, kind === "masking" ? 0 : 1];
  if (!image && kind !== "masking") {
    [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  for (let p = 0; p < draws.even.length; p++) {
    const dice = draws.even[p];
    if (dice >= level) continue;
    const to = kind === "masking" || dice < level / 2 ? low : high;
    values.fill(to, p * each, (p + 1) * each);
  }
}

/** The median of each pixel of an image and its eight neighbours, colour by colour; at edges of those that are there. */
export function median(values: Float32Array, shape: readonly number[], out: Float32Array): Float32Array {
  const [height, width, channels] = shape;
  const near = new Float32Array(9); // in order, as far as they are there
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        let count = 0;
        for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
          for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
            const value = values[(v * width + u) * channels + c];
            let at = count++;
            for (; at > 0 && near[at - 1] > value; at--) near[at] = near[at - 1];
            near[at] = value;
          }
        out[(y * width + x) * channels + c] = (near[(count - 1) >> 1] + near[count >> 1]) / 2;
      }
  return out;
}

/** What a classifier reads: the likeliest class and how sure it is of it, from its outputs (softmax). */
export function reading(outputs: ArrayLike<number>): { readonly label: number; readonly sure: number } {
  let label = 0;
  for (let k = 1; k < outputs.length; k++) if (outputs[k] > outputs[label]) label = k;
  let sum = 0;
  for (let k = 0; k < outputs.length; k++) sum += Math.exp(outputs[k] - outputs[label]);
  return { label, sure: 1 / sum };
}

/** Smooth lines across a picture, as somebody scribbles over it: points in [0, 1] x [0, 1] of each line. */
export function scribbles(count: number, random: () => number): (readonly [number, number])[][] {
  return Array.from({ length: count }, () => {
    const [from, bend, to] = [0, 1, 2].map(() => [random(), random()] as const);
    return Array.from({ length: 13 }, (_, i) => {
      const t = i / 12;
      const along = (k: 0 | 1) => (1 - t) ** 2 * from[k] + 2 * t * (1 - t) * bend[k] + t * t * to[k];
      return [along(0), along(1)] as const;
    });
  });
}
