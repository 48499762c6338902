/** The codes nearest to a code. */

import { extentOf, type Extent } from "./camera";

export interface Neighbour {
  readonly index: number;
  readonly distance: number;
}

/** Finds the k nearest codes. Two dimensions go through cells, more through a scan that gives up early on each code. */
export interface Finder {
  /** `accepts` leaves out codes for which it is false. */
  nearest(code: ArrayLike<number>, k: number, accepts?: (index: number) => boolean): Neighbour[];
}

/** Keeps the k smallest of what it is offered, sorted: for small k insertion beats any heap. */
class KSmallest {
  readonly index: Int32Array;
  readonly squared: Float64Array;
  constructor(readonly k: number) {
    this.index = new Int32Array(k).fill(-1);
    this.squared = new Float64Array(k).fill(Infinity);
  }
  offer(index: number, squared: number): void {
    let at = this.k - 1;
    if (!(squared < this.squared[at])) return;
    for (; at > 0 && this.squared[at - 1] > squared; at--) {
      this.squared[at] = this.squared[at - 1];
      this.index[at] = this.index[at - 1];
    }
    this.squared[at] = squared;
    this.index[at] = index;
  }
  get worst(): number {
    return this.squared[this.k - 1];
  }
  take(): Neighbour[] {
    const out: Neighbour[] = [];
    for (let i = 0; i < this.k && this.index[i] >= 0; i++)
      out.push({ index: this.index[i], distance: Math.sqrt(this.squared[i]) });
    return out;
  }
}

class Scan implements Finder {
  constructor(
    private readonly values: Float32Array,
    private readonly size: number,
  ) {}
  nearest(code: ArrayLike<number>, k: number, accepts?: (index: number) => boolean): Neighbour[] {
    const { values, size } = this;
    const best = new KSmallest(k);
    const count = Math.floor(values.length / size);
    const target = Float64Array.from(code);
    let worst = Infinity;
    for (let m = 0, at = 0; m < count; m++, at += size) {
      let sum = 0;
      for (let d = 0; d < size && sum < worst; d++) {
        const c = values[at + d] - target[d];
        sum += c * c;
      }
      if (sum < worst && (!accepts || accepts(m))) {
        best.offer(m, sum);
        worst = best.worst;
      }
    }
    return best.take();
  }
}

/** Codes of two dimensions sorted into square cells of a few points each; rings of cells are searched outwards. */
class Cells implements Finder {
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;
  private readonly columns: number;
  private readonly rows: number;
  private readonly edge: number;
  private readonly box: Extent;

  constructor(private readonly xy: Float32Array) {
    const count = xy.length / 2;
    this.box = extentOf(xy);
    const [x0, x1, y0, y1] = this.box;
    // The longer side sets the edge when the box has no area: points on a line, or all in one place.
    const area = (x1 - x0) * (y1 - y0);
    const longest = Math.max(x1 - x0, y1 - y0);
    this.edge = Math.max(Math.sqrt((area * 4) / Math.max(1, count)), longest / 2000) || 1;
    this.columns = Math.floor((x1 - x0) / this.edge) + 1;
    this.rows = Math.floor((y1 - y0) / this.edge) + 1;
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    this.order = new Uint32Array(count);
    const cell = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const x = xy[2 * i],
        y = xy[2 * i + 1];
      cell[i] = Number.isFinite(x) && Number.isFinite(y) ? this.rowOf(y) * this.columns + this.columnOf(x) : -1;
      if (cell[i] >= 0) this.starts[cell[i] + 1]++;
    }
    for (let c = 0; c < this.starts.length - 1; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    for (let i = 0; i < count; i++) if (cell[i] >= 0) this.order[next[cell[i]]++] = i;
  }

  private columnOf = (x: number) => Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.box[0]) / this.edge)));
  private rowOf = (y: number) => Math.max(0, Math.min(this.rows - 1, Math.floor((y - this.box[2]) / this.edge)));

  nearest(code: ArrayLike<number>, k: number, accepts?: (index: number) => boolean): Neighbour[] {
    const { xy, edge, columns, rows, starts, order } = this;
    const x = code[0],
      y = code[1];
    const best = new KSmallest(k);
    if (!Number.isFinite(x) || !Number.isFinite(y)) return [];
    const visit = (c: number, l: number) => {
      const cell = l * columns + c;
      for (let at = starts[cell]; at < starts[cell + 1]; at++) {
        const i = order[at];
        const dx = xy[2 * i] - x,
          dy = xy[2 * i + 1] - y;
        if (!accepts || accepts(i)) best.offer(i, dx * dx + dy * dy);
      }
    };
    // The ring's centre is the cell nearest to the target, which may lie outside the box: what a ring of radius r
    // leaves unseen is then at least r cells away along one axis, measured from the target's nearest cell.
    const c0 = this.columnOf(x),
      l0 = this.rowOf(y);
    const outX = Math.max(this.box[0] - x, x - (this.box[0] + columns * edge), 0);
    const outY = Math.max(this.box[2] - y, y - (this.box[2] + rows * edge), 0);
    const inX = outX > 0 ? 0 : Math.min(x - (this.box[0] + c0 * edge), this.box[0] + (c0 + 1) * edge - x);
    const inY = outY > 0 ? 0 : Math.min(y - (this.box[2] + l0 * edge), this.box[2] + (l0 + 1) * edge - y);
    const reach = Math.max(columns, rows);
    for (let r = 0; r <= reach; r++) {
      for (let l = Math.max(0, l0 - r); l <= Math.min(rows - 1, l0 + r); l++) {
        // Only the ring's border is new: all of its first and last line, two cells of those between.
        const step = l === l0 - r || l === l0 + r ? 1 : 2 * r;
        for (let c = c0 - r; c <= c0 + r; c += step || 1) if (c >= 0 && c < columns) visit(c, l);
      }
      const ax = r * edge + Math.max(0, inX),
        ay = r * edge + Math.max(0, inY);
      const unseen = Math.min(Math.hypot(outX + ax, outY), Math.hypot(outX, outY + ay));
      if (best.worst <= unseen * unseen) break;
    }
    return best.take();
  }
}

/** So many are looked for where fewer are asked for, since who asks next for the same code may want more. */
const REMEMBERED = 8;

/** Knows the neighbours of the last code, as long as nobody leaves any out: several parts ask for them at each move. */
export class Remembering implements Finder {
  private code: Float64Array | null = null;
  private found: Neighbour[] = [];
  private k = 0;

  constructor(private readonly finder: Finder) {}

  nearest(code: ArrayLike<number>, k: number, accepts?: (index: number) => boolean): Neighbour[] {
    if (accepts) return this.finder.nearest(code, k, accepts);
    if (k > this.k || !this.isLast(code)) {
      this.k = Math.max(k, REMEMBERED);
      this.found = this.finder.nearest(code, this.k);
      this.code ??= new Float64Array(code.length);
      this.code.set(code);
    }
    return this.found.slice(0, k);
  }

  private isLast(code: ArrayLike<number>): boolean {
    const { code: last } = this;
    if (!last) return false;
    for (let d = 0; d < last.length; d++) if (last[d] !== code[d]) return false;
    return true;
  }
}

export const finder = (values: Float32Array, size: number): Finder =>
  size === 2 ? new Cells(values) : new Scan(values, size);
export const scanner = (values: Float32Array, size: number): Finder => new Scan(values, size);
