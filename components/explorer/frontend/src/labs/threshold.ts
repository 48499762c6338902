/** What becomes of samples when those with a score above a threshold are alarms. */

export interface Scores {
  /** Of normal test samples, rising. */
  readonly normal: readonly number[];
  /** Of those that do not belong, rising. */
  readonly other: readonly number[];
}

export interface Confusion {
  readonly found: number;
  readonly missed: number;
  readonly falseAlarms: number;
  readonly quiet: number;
}

/** How many of rising numbers are above a level. */
export function above(values: readonly number[], level: number): number {
  let low = 0,
    high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > level) high = middle;
    else low = middle + 1;
  }
  return values.length - low;
}

export function confusion({ normal, other }: Scores, level: number): Confusion {
  const [found, falseAlarms] = [above(other, level), above(normal, level)];
  return { found, missed: other.length - found, falseAlarms, quiet: normal.length - falseAlarms };
}

export const cost = (of: Confusion, miss: number, falseAlarm: number): number =>
  of.missed * miss + of.falseAlarms * falseAlarm;

/** The threshold with the least cost among those that change anything; the lowest of several. */
export function cheapest(scores: Scores, miss: number, falseAlarm: number): number {
  const levels = [...new Set([...scores.normal, ...scores.other])].sort((a, b) => a - b);
  let best = levels[0] - 1,
    least = cost(confusion(scores, best), miss, falseAlarm);
  for (const level of levels) {
    const now = cost(confusion(scores, level), miss, falseAlarm);
    if (now < least) [best, least] = [level, now];
  }
  return best;
}

/** The outline of a histogram as a line: the share of the values in each bin, in per cent. */
export function outline(
  values: readonly number[],
  low: number,
  high: number,
  bins: number,
): (readonly [number, number])[] {
  const counts = new Array<number>(bins).fill(0);
  for (const value of values)
    counts[Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins)))]++;
  const step = (high - low) / bins;
  return counts.flatMap((count, i) => {
    const share = (100 * count) / Math.max(1, values.length);
    return [[low + i * step, share] as const, [low + (i + 1) * step, share] as const];
  });
}
