/** Numbers for a person, and statistics of many. */

/** Round numbers between lo and hi, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks(lo: number, hi: number, count: number): number[] {
  const raw = (hi - lo) / Math.max(1, count);
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  const out: number[] = [];
  // Multiples are counted, not summed: adding a tenth ten times does not give one.
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; k++)
    out.push(Number((k * step).toPrecision(12)) + 0);
  return out;
}

/** A number for a person: the same count of decimals for its whole axis, a true minus sign. */
export const formatNumber = (value: number, decimals = 2): string =>
  Number.isFinite(value)
    ? value
        .toFixed(decimals)
        .replace(/^-(?=0\.?0*$)/, "")
        .replace("-", "\u2212")
    : "–";

/** How many decimals tell values apart that are `step` from each other. */
export const decimalsFor = (step: number): number =>
  Math.max(0, Math.min(8, -Math.floor(Math.log10(Math.abs(step) || 1) + 1e-9)));

/** How often each class occurs among some codes; the last place counts those without a label. */
export function countClasses(labels: Int32Array | null, indices: Iterable<number>, classes: number): Uint32Array {
  const out = new Uint32Array(classes + 1);
  for (const i of indices) {
    const label = labels ? labels[i] : -1;
    out[label >= 0 && label < classes ? label : classes]++;
  }
  return out;
}

/** Counts of one dimension's codes in equal bins from lo to hi; what lies outside counts in the outer bins. */
export function histogram(
  values: ArrayLike<number>,
  size: number,
  dimension: number,
  lo: number,
  hi: number,
  bins: number,
): Uint32Array {
  const out = new Uint32Array(bins);
  const scale = bins / (hi - lo || 1);
  for (let at = dimension; at < values.length; at += size) {
    const v = values[at];
    if (Number.isFinite(v)) out[Math.max(0, Math.min(bins - 1, Math.floor((v - lo) * scale)))]++;
  }
  return out;
}

/** The values below which the given shares of the finite values lie. */
export function quantiles(values: ArrayLike<number>, shares: readonly number[]): number[] {
  const sorted = Float64Array.from(Array.from(values).filter(Number.isFinite)).sort();
  return shares.map((share) => (sorted.length ? sorted[Math.round(share * (sorted.length - 1))] : 0));
}

/** Mean squared difference per value; a value that is no number, as a missing one, does not count. */
export function meanSquaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0,
    count = 0;
  for (let i = 0; i < a.length; i++) {
    const square = (a[i] - b[i]) ** 2;
    if (Number.isNaN(square)) continue;
    sum += square;
    count++;
  }
  return count ? sum / count : 0;
}

/** The order in which dimensions are shown: most used first (by KL where there is one, else by variance). */
export const byUse = (use: readonly number[]): number[] =>
  use.map((_, d) => d).sort((a, b) => use[b] - use[a] || a - b);

/** How many values a sample of this shape has. */
export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
