/**
 * A few labels that flow along a graph of near neighbours (Zhou et al. 2004, with the local scales of Zelnik-Manor and Perona
 * 2004), as `models/analysis/probing.py` has them: moved at once, for a few thousand codes.
 */

export const NEIGHBOURS = 7;
const ONWARD = 0.95, // of a label goes on to neighbours at each step
  STEPS = 200,
  SETTLED = 1e-3; // steps that change less, all numbers together, are the last

/** The nearest of other codes, for each query `k` places among these and squared distances, nearest first. */
export interface Near {
  readonly k: number;
  readonly places: Int32Array;
  readonly squared: Float32Array;
}

/** `wait` is asked for between slices, so that the page stays quick. `queries` and `among` are places of codes; where both are the same
 * array, none is its own neighbour. */
export async function nearestOf(
  codes: Float32Array,
  size: number,
  queries: Int32Array,
  among: Int32Array,
  wait: () => Promise<unknown>,
): Promise<Near> {
  const own = queries === among;
  const k = Math.max(0, Math.min(NEIGHBOURS, among.length - (own ? 1 : 0)));
  const places = new Int32Array(k * queries.length),
    squared = new Float32Array(k * queries.length).fill(Infinity);
  for (let q = 0; q < queries.length; q++) {
    if (q && q % 64 === 0) await wait();
    const from = queries[q] * size,
      base = q * k;
    for (let m = 0; m < among.length && k; m++) {
      if (own && m === q) continue;
      const worst = squared[base + k - 1];
      let sum = 0;
      for (let d = 0, at = among[m] * size; d < size && sum < worst; d++) {
        const apart = codes[at + d] - codes[from + d];
        sum += apart * apart;
      }
      if (!(sum < worst)) continue;
      let at = k - 1;
      for (; at > 0 && squared[base + at - 1] > sum; at--) {
        squared[base + at] = squared[base + at - 1];
        places[base + at] = places[base + at - 1];
      }
      squared[base + at] = sum;
      places[base + at] = m;
    }
  }
  return { k, places, squared };
}

export class Spreading {
  /** Both ways along each edge: where it begins, where it ends, and how much goes along. */
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  private readonly weight: Float32Array;
  readonly count: number;

  constructor(
    near: Near,
    private readonly classes: number,
  ) {
    const { k, places, squared } = near;
    const count = (this.count = k ? places.length / k : 0);
    const scale = Float64Array.from({ length: count }, (_, i) => Math.sqrt(Math.max(squared[i * k + k - 1], 1e-12)));
    const edges = new Map<number, number>();
    for (let i = 0; i < count; i++)
      for (let n = 0; n < k; n++) {
        const j = places[i * k + n];
        const weight = Math.exp(-squared[i * k + n] / (scale[i] * scale[j]));
        edges.set(i < j ? i * count + j : j * count + i, weight);
      }
    const degree = new Float64Array(count);
    for (const [edge, weight] of edges) {
      degree[Math.floor(edge / count)] += weight;
      degree[edge % count] += weight;
    }
    this.from = new Int32Array(2 * edges.size);
    this.to = new Int32Array(2 * edges.size);
    this.weight = new Float32Array(2 * edges.size);
    let at = 0;
    for (const [edge, weight] of edges) {
      const i = Math.floor(edge / count),
        j = edge % count;
      const along = weight / Math.sqrt(degree[i] * degree[j]);
      for (const [a, b] of [
        [i, j],
        [j, i],
      ]) {
        this.from[at] = a;
        this.to[at] = b;
        this.weight[at++] = along;
      }
    }
  }

  /** How much of each class came to each code (count x classes), where `named` has a class or -1 for each. All classes begin
   * with as much, divided among those that have it: a lasso names a hundred at once. */
  spread(named: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const { classes, from, to, weight } = this;
    let now = new Float32Array(this.count * classes),
      next = new Float32Array(now.length);
    const having = new Float64Array(classes);
    for (let i = 0; i < this.count; i++) if (named[i] >= 0) having[named[i]]++;
    for (let i = 0; i < this.count; i++)
      if (named[i] >= 0) now[i * classes + named[i]] = (1 - ONWARD) / having[named[i]];
    const given = now.slice();
    for (let step = 0; step < STEPS; step++) {
      next.fill(0);
      for (let e = 0; e < from.length; e++) {
        const w = ONWARD * weight[e],
          a = from[e] * classes,
          b = to[e] * classes;
        for (let c = 0; c < classes; c++) next[b + c] += w * now[a + c];
      }
      let moved = 0;
      for (let i = 0; i < next.length; i++) {
        next[i] += given[i];
        moved += Math.abs(next[i] - now[i]);
      }
      [now, next] = [next, now];
      if (moved < SETTLED * (1 - ONWARD)) break; // of what all classes began with
    }
    return now;
  }

  /** The class of which most came to each code, -1 where nothing did. */
  told(shares: Float32Array): Int32Array<ArrayBuffer> {
    return Int32Array.from({ length: this.count }, (_, i) => largest(shares, i * this.classes, this.classes));
  }

  /** The class of each query, by its nearest codes; -1 where nothing came to these. */
  tell({ k, places }: Near, shares: Float32Array): Int32Array {
    const { classes } = this;
    const sums = new Float32Array(classes);
    return Int32Array.from({ length: k ? places.length / k : 0 }, (_, q) => {
      sums.fill(0);
      for (let n = 0; n < k; n++) for (let c = 0; c < classes; c++) sums[c] += shares[places[q * k + n] * classes + c];
      return largest(sums, 0, classes);
    });
  }

  /** Of the unnamed the one whose two likeliest classes are closest; null where no two have come to the same. */
  leastSure(shares: Float32Array, named: ArrayLike<number>): number | null {
    let found: number | null = null,
      least = 1;
    for (let i = 0; i < this.count; i++) {
      if (named[i] >= 0) continue;
      let first = 0,
        second = 0,
        sum = 0;
      for (let c = 0; c < this.classes; c++) {
        const share = shares[i * this.classes + c];
        sum += share;
        if (share > first) [first, second] = [share, first];
        else if (share > second) second = share;
      }
      const margin = sum > 0 ? (first - second) / sum : Infinity;
      if (margin < least) [found, least] = [i, margin];
    }
    return found;
  }
}

/** Of the unnamed the one that stands for most others: where codes are dense, and far from what is named. */
export function densest(
  { k, squared }: Near,
  named: ArrayLike<number>,
  distance: (i: number, j: number) => number,
): number | null {
  const chosen: number[] = [];
  for (let i = 0; i < named.length; i++) if (named[i] >= 0) chosen.push(i);
  let found: number | null = null,
    most = -1;
  for (let i = 0; k && i < named.length; i++) {
    if (named[i] >= 0) continue;
    const density = 1 / Math.sqrt(Math.max(squared[i * k + k - 1], 1e-12));
    let far = chosen.length ? Infinity : 1;
    for (const j of chosen) far = Math.min(far, distance(i, j));
    if (density * far > most) [found, most] = [i, density * far];
  }
  return found;
}

function largest(values: Float32Array, at: number, count: number): number {
  let found = -1,
    most = 0;
  for (let c = 0; c < count; c++) if (values[at + c] > most) [found, most] = [c, values[at + c]];
  return found;
}
