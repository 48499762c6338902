/** The explorer's mathematics. Imports nothing, touches no page: numbers in, numbers out. */

export type Point = readonly [number, number];
export type Extent = readonly [x0: number, x1: number, y0: number, y1: number];

// ── the window onto the plane ───────────────────────────────────────────────

/** What part of the plane is seen: its centre and how many pixels one unit takes; y grows upwards on the plane. */
export interface Camera {
  readonly cx: number;
  readonly cy: number;
  readonly sx: number;
  readonly sy: number;
  readonly width: number;
  readonly height: number;
}

export const toPixel = (c: Camera, x: number, y: number): Point => [
  c.width / 2 + (x - c.cx) * c.sx,
  c.height / 2 - (y - c.cy) * c.sy,
];
export const fromPixel = (c: Camera, px: number, py: number): Point => [
  c.cx + (px - c.width / 2) / c.sx,
  c.cy - (py - c.height / 2) / c.sy,
];

/** The smallest box around the finite points of `xy` (x, y, x, y, …); a unit box around the origin when there is none. */
export function extentOf(xy: ArrayLike<number>): Extent {
  let x0 = Infinity,
    x1 = -Infinity,
    y0 = Infinity,
    y1 = -Infinity;
  for (let i = 0; i + 1 < xy.length; i += 2) {
    const x = xy[i],
      y = xy[i + 1];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  if (x0 > x1) return [-1, 1, -1, 1];
  return [x0, x1, y0, y1];
}

/**
 * A camera that shows a box with a margin in pixels. One unit is as long in x as in y, so that a circle of equal
 * distance is a circle, unless the box is so flat that nothing would be seen. Equal points get a window of unit size.
 */
export function fit([x0, x1, y0, y1]: Extent, width: number, height: number, margin = 28): Camera {
  const dx = x1 - x0,
    dy = y1 - y0;
  const floor = Math.max(dx, dy) || Math.max(1, Math.abs(x0) * 1e-6, Math.abs(y0) * 1e-6);
  const w = Math.max(1, width - 2 * margin),
    h = Math.max(1, height - 2 * margin);
  let sx = w / (dx || floor),
    sy = h / (dy || floor);
  const ratio = Math.max(sx / sy, sy / sx);
  if (ratio < 5 || dx === 0 || dy === 0) sx = sy = Math.min(sx, sy);
  return { cx: (x0 + x1) / 2, cy: (y0 + y1) / 2, sx, sy, width, height };
}

/** Zoom by a factor while the plane's point under the pixel stays where it is. */
export function zoomAt(c: Camera, px: number, py: number, factor: number): Camera {
  const [x, y] = fromPixel(c, px, py);
  const sx = c.sx * factor,
    sy = c.sy * factor;
  return { ...c, sx, sy, cx: x - (px - c.width / 2) / sx, cy: y + (py - c.height / 2) / sy };
}

export const panBy = (c: Camera, dx: number, dy: number): Camera => ({
  ...c,
  cx: c.cx - dx / c.sx,
  cy: c.cy + dy / c.sy,
});

/** The same middle and the same scale in a window of another size; what was seen across stays seen. */
export function resized(c: Camera, width: number, height: number): Camera {
  const k = Math.min(width / c.width, height / c.height);
  return { ...c, width, height, sx: c.sx * k, sy: c.sy * k };
}

/** A camera beside the one that shows everything, as text: its middle, and how many times larger it shows things. */
export function cameraText(c: Camera, home: Camera): string {
  const zoom = Math.sqrt((c.sx * c.sy) / (home.sx * home.sy));
  const [x, y] = [Math.abs(c.cx - home.cx) * c.sx, Math.abs(c.cy - home.cy) * c.sy];
  if (Math.abs(zoom - 1) < 0.005 && x < 1 && y < 1) return "";
  return [c.cx, c.cy, zoom].map((v) => Number(v.toPrecision(5))).join(",");
}

/** The camera that `cameraText` has put into words, in a window of any size; null where it is none. */
export function cameraOf(text: string, home: Camera): Camera | null {
  const [cx, cy, zoom, ...more] = text.split(",").map(Number);
  if (more.length || ![cx, cy, zoom].every(Number.isFinite) || !(zoom > 0)) return null;
  return { ...home, cx, cy, sx: home.sx * zoom, sy: home.sy * zoom };
}

/** Which of so many classes are hidden (-1: without a label), as text: "0,2", or "!3" where only a few are seen. */
export function hiddenText(hidden: ReadonlySet<number>, classes: number): string {
  const all = [...Array(classes).keys(), -1];
  const seen = all.filter((c) => !hidden.has(c));
  return hidden.size <= seen.length ? [...hidden].sort((a, b) => a - b).join(",") : `!${seen.join(",")}`;
}

/** What `hiddenText` has put into words; classes that do not exist are left out. */
export function hiddenOf(text: string, classes: number): Set<number> {
  const all = [...Array(classes).keys(), -1];
  const named = new Set(text.replace("!", "").split(",").filter(Boolean).map(Number));
  return new Set(text.startsWith("!") ? all.filter((c) => !named.has(c)) : all.filter((c) => named.has(c)));
}

export const viewOf = (c: Camera): Extent => [
  c.cx - c.width / 2 / c.sx,
  c.cx + c.width / 2 / c.sx,
  c.cy - c.height / 2 / c.sy,
  c.cy + c.height / 2 / c.sy,
];

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
export const say = (value: number, decimals = 2): string =>
  Number.isFinite(value)
    ? value
        .toFixed(decimals)
        .replace(/^-(?=0\.?0*$)/, "")
        .replace("-", "\u2212")
    : "–";

/** How many decimals tell values apart that are `step` from each other. */
export const decimalsFor = (step: number): number =>
  Math.max(0, Math.min(8, -Math.floor(Math.log10(Math.abs(step) || 1) + 1e-9)));

// ── planes ──────────────────────────────────────────────────────────────────

/** A picture of the codes in two dimensions. `move` is null where the plane cannot be walked (t-SNE). */
export interface Plane {
  readonly key: string;
  readonly title: string;
  readonly axes: readonly [string, string];
  /** x, y of each point shown. */
  readonly xy: Float32Array;
  /** Which code each point is; null when point i is code i. */
  readonly index: Int32Array | null;
  place(code: ArrayLike<number>): Point | null;
  /** The code after walking to (x, y): the plane's two components change, the others stay. */
  readonly move: ((code: ArrayLike<number>, x: number, y: number) => Float32Array) | null;
}

/** Two code dimensions, counted from 0. */
export function axisPlane(values: Float32Array, size: number, i: number, j: number): Plane {
  const count = Math.floor(values.length / size);
  let xy = values;
  if (!(size === 2 && i === 0 && j === 1)) {
    xy = new Float32Array(2 * count);
    for (let m = 0; m < count; m++) {
      xy[2 * m] = values[m * size + i];
      xy[2 * m + 1] = i === j ? 0 : values[m * size + j];
    }
  }
  const flat = i === j; // one dimension only: a line of points
  return {
    key: `z${i + 1},z${j + 1}`,
    title: flat ? `z${i + 1}` : `z${i + 1} and z${j + 1}`,
    axes: [`z${i + 1}`, flat ? "" : `z${j + 1}`],
    xy,
    index: null,
    place: (code) => [code[i], flat ? 0 : code[j]],
    move: (code, x, y) => {
      const out = Float32Array.from(code);
      out[i] = x;
      if (!flat) out[j] = y;
      return out;
    },
  };
}

/** The plane of two orthonormal directions through the mean: position = (code - mean) · components. */
export function linearPlane(
  key: string,
  title: string,
  axes: readonly [string, string],
  xy: Float32Array,
  mean: ArrayLike<number>,
  components: readonly [ArrayLike<number>, ArrayLike<number>],
): Plane {
  const [u, v] = components;
  const along = (code: ArrayLike<number>, w: ArrayLike<number>) => {
    let sum = 0;
    for (let d = 0; d < mean.length; d++) sum += (code[d] - mean[d]) * w[d];
    return sum;
  };
  return {
    key,
    title,
    axes,
    xy,
    index: null,
    place: (code) => [along(code, u), along(code, v)],
    move: (code, x, y) => {
      const dx = x - along(code, u),
        dy = y - along(code, v);
      return Float32Array.from({ length: mean.length }, (_, d) => code[d] + dx * u[d] + dy * v[d]);
    },
  };
}

/** (code - mean) · componentsᵀ for many codes at once: x, y, x, y, … */
export function project(
  values: Float32Array,
  size: number,
  mean: ArrayLike<number>,
  components: readonly [ArrayLike<number>, ArrayLike<number>],
): Float32Array {
  const count = Math.floor(values.length / size);
  const out = new Float32Array(2 * count);
  for (let m = 0; m < count; m++) {
    let x = 0,
      y = 0;
    for (let d = 0; d < size; d++) {
      const c = values[m * size + d] - mean[d];
      x += c * components[0][d];
      y += c * components[1][d];
    }
    out[2 * m] = x;
    out[2 * m + 1] = y;
  }
  return out;
}

// ── neighbours ──────────────────────────────────────────────────────────────

export interface Neighbour {
  readonly index: number;
  readonly distance: number;
}

/** Finds the k nearest codes. Two dimensions go through cells, more through a scan that gives up early on each code. */
export interface Finder {
  /** `seen` leaves out codes for which it is false. */
  nearest(code: ArrayLike<number>, k: number, seen?: (index: number) => boolean): Neighbour[];
}

/** Keeps the k smallest of what it is offered, sorted: for small k insertion beats any heap. */
class Best {
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
  nearest(code: ArrayLike<number>, k: number, seen?: (index: number) => boolean): Neighbour[] {
    const { values, size } = this;
    const best = new Best(k);
    const count = Math.floor(values.length / size);
    const target = Float64Array.from(code);
    let worst = Infinity;
    for (let m = 0, at = 0; m < count; m++, at += size) {
      let sum = 0;
      for (let d = 0; d < size && sum < worst; d++) {
        const c = values[at + d] - target[d];
        sum += c * c;
      }
      if (sum < worst && (!seen || seen(m))) {
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
  private readonly lines: number;
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
    this.lines = Math.floor((y1 - y0) / this.edge) + 1;
    this.starts = new Uint32Array(this.columns * this.lines + 1);
    this.order = new Uint32Array(count);
    const cell = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const x = xy[2 * i],
        y = xy[2 * i + 1];
      cell[i] = Number.isFinite(x) && Number.isFinite(y) ? this.line(y) * this.columns + this.column(x) : -1;
      if (cell[i] >= 0) this.starts[cell[i] + 1]++;
    }
    for (let c = 0; c < this.starts.length - 1; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    for (let i = 0; i < count; i++) if (cell[i] >= 0) this.order[next[cell[i]]++] = i;
  }

  private column = (x: number) => Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.box[0]) / this.edge)));
  private line = (y: number) => Math.max(0, Math.min(this.lines - 1, Math.floor((y - this.box[2]) / this.edge)));

  nearest(code: ArrayLike<number>, k: number, seen?: (index: number) => boolean): Neighbour[] {
    const { xy, edge, columns, lines, starts, order } = this;
    const x = code[0],
      y = code[1];
    const best = new Best(k);
    if (!Number.isFinite(x) || !Number.isFinite(y)) return [];
    const visit = (c: number, l: number) => {
      const cell = l * columns + c;
      for (let at = starts[cell]; at < starts[cell + 1]; at++) {
        const i = order[at];
        const dx = xy[2 * i] - x,
          dy = xy[2 * i + 1] - y;
        if (!seen || seen(i)) best.offer(i, dx * dx + dy * dy);
      }
    };
    // The ring's centre is the cell nearest to the target, which may lie outside the box: what a ring of radius r
    // leaves unseen is then at least r cells away along one axis, measured from the target's nearest cell.
    const c0 = this.column(x),
      l0 = this.line(y);
    const outX = Math.max(this.box[0] - x, x - (this.box[0] + columns * edge), 0);
    const outY = Math.max(this.box[2] - y, y - (this.box[2] + lines * edge), 0);
    const inX = outX > 0 ? 0 : Math.min(x - (this.box[0] + c0 * edge), this.box[0] + (c0 + 1) * edge - x);
    const inY = outY > 0 ? 0 : Math.min(y - (this.box[2] + l0 * edge), this.box[2] + (l0 + 1) * edge - y);
    const reach = Math.max(columns, lines);
    for (let r = 0; r <= reach; r++) {
      for (let l = Math.max(0, l0 - r); l <= Math.min(lines - 1, l0 + r); l++) {
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

export const finder = (values: Float32Array, size: number): Finder =>
  size === 2 ? new Cells(values) : new Scan(values, size);
export const scanner = (values: Float32Array, size: number): Finder => new Scan(values, size);

// ── paths and arithmetic ────────────────────────────────────────────────────

export const lerp = (a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float32Array =>
  Float32Array.from({ length: a.length }, (_, d) => a[d] + (b[d] - a[d]) * t);

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
};

export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d] - b[d]) ** 2;
  return Math.sqrt(sum);
};

/**
 * Along the great arc (Shoemake 1985), as usual for codes drawn around the origin: samples of a normal lie on a
 * shell, and a straight line leaves it. Where the arc is undefined (a zero code, or opposite ones) the line is taken.
 */
export function slerp(a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float32Array {
  const na = Math.sqrt(dot(a, a)),
    nb = Math.sqrt(dot(b, b));
  const angle = na && nb ? Math.acos(Math.max(-1, Math.min(1, dot(a, b) / (na * nb)))) : 0;
  const sine = Math.sin(angle);
  if (sine < 1e-6) return lerp(a, b, t);
  // Direction turns evenly and length changes evenly, so that the arc between unequal lengths does not bulge.
  const wa = Math.sin((1 - t) * angle) / sine,
    wb = Math.sin(t * angle) / sine;
  const length = na + (nb - na) * t;
  return Float32Array.from({ length: a.length }, (_, d) => length * ((wa * a[d]) / na + (wb * b[d]) / nb));
}

/** Where a walk through the codes is at t in [0, 1], with equal speed on all legs. */
export function along(codes: readonly ArrayLike<number>[], t: number, spherical: boolean): Float32Array {
  if (codes.length === 1) return Float32Array.from(codes[0]);
  const legs = codes.slice(1).map((code, i) => distance(codes[i], code));
  const total = legs.reduce((a, b) => a + b, 0);
  let left = Math.max(0, Math.min(1, t)) * total;
  let leg = 0;
  while (leg < legs.length - 1 && left > legs[leg]) left -= legs[leg++];
  const share = legs[leg] ? Math.min(1, left / legs[leg]) : 0;
  return (spherical ? slerp : lerp)(codes[leg], codes[leg + 1], share);
}

/** a + b - c, and the clearer reading of it: b, moved by what leads from c to a. */
export const combine = (a: ArrayLike<number>, b: ArrayLike<number>, c: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: a.length }, (_, d) => a[d] + b[d] - c[d]);

// ── selection ───────────────────────────────────────────────────────────────

/** Whether (x, y) is inside a polygon given as x, y, x, y, …; crossings are counted (even-odd). */
export function inside(polygon: ArrayLike<number>, x: number, y: number): boolean {
  let within = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const yi = polygon[i + 1],
      yj = polygon[j + 1];
    if (yi > y !== yj > y && x < ((polygon[j] - polygon[i]) * (y - yi)) / (yj - yi) + polygon[i]) within = !within;
  }
  return within;
}

/**
 * The points of `xy` inside a polygon, by their position in it. `take` may refuse points (a hidden class). The edges
 * are sorted into bands of equal height, so that a point meets only those at its own height: of a million points and
 * a hand-drawn shape that is a tenth of the work.
 */
export function select(
  xy: Float32Array,
  polygon: ArrayLike<number>,
  take: (i: number) => boolean = () => true,
): Int32Array {
  const [x0, x1, y0, y1] = extentOf(polygon);
  const bands = Math.max(1, Math.min(256, polygon.length));
  const band = (y: number) => Math.max(0, Math.min(bands - 1, Math.floor(((y - y0) / (y1 - y0 || 1)) * bands)));
  const edges: number[][] = Array.from({ length: bands }, () => []);
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [from, to] = [band(polygon[i + 1]), band(polygon[j + 1])];
    for (let k = Math.min(from, to); k <= Math.max(from, to); k++)
      edges[k].push(polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]);
  }
  const out = new Int32Array(xy.length / 2);
  let n = 0;
  for (let p = 0; 2 * p < xy.length; p++) {
    const x = xy[2 * p],
      y = xy[2 * p + 1];
    if (!(x >= x0 && x <= x1 && y >= y0 && y <= y1)) continue;
    const near = edges[band(y)];
    let within = false;
    for (let e = 0; e < near.length; e += 4) {
      const yi = near[e + 1],
        yj = near[e + 3];
      if (yi > y !== yj > y && x < ((near[e + 2] - near[e]) * (y - yi)) / (yj - yi) + near[e]) within = !within;
    }
    if (within && take(p)) out[n++] = p;
  }
  return out.slice(0, n);
}

/** How often each class occurs among some codes; the last place counts those without a label. */
export function countClasses(labels: Int32Array | null, indices: Iterable<number>, classes: number): Uint32Array {
  const out = new Uint32Array(classes + 1);
  for (const i of indices) {
    const label = labels ? labels[i] : -1;
    out[label >= 0 && label < classes ? label : classes]++;
  }
  return out;
}

// ── distributions ───────────────────────────────────────────────────────────

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

/** Points counted on a grid of columns x lines over an extent (line 0 at the bottom), only those that `take` accepts. */
export function bin(
  xy: Float32Array,
  [x0, x1, y0, y1]: Extent,
  columns: number,
  lines: number,
  take: (i: number) => boolean = () => true,
): Float32Array {
  const out = new Float32Array(columns * lines);
  const kx = columns / (x1 - x0),
    ky = lines / (y1 - y0);
  for (let i = 0; 2 * i < xy.length; i++) {
    const c = Math.floor((xy[2 * i] - x0) * kx),
      l = Math.floor((xy[2 * i + 1] - y0) * ky);
    if (c >= 0 && c < columns && l >= 0 && l < lines && take(i)) out[l * columns + c]++;
  }
  return out;
}

/** A grid smoothed by three passes of a box, which is a Gaussian to the eye at a fraction of its cost. */
export function blur(grid: Float32Array, columns: number, lines: number, radius: number): Float32Array {
  let from = Float32Array.from(grid),
    to = new Float32Array(grid.length);
  const pass = (outer: number, inner: number, stepOuter: number, stepInner: number) => {
    const norm = 1 / (2 * radius + 1);
    for (let o = 0; o < outer; o++) {
      let sum = 0;
      const at = (i: number) => (i >= 0 && i < inner ? from[o * stepOuter + i * stepInner] : 0);
      for (let i = -radius; i <= radius; i++) sum += at(i);
      for (let i = 0; i < inner; i++) {
        to[o * stepOuter + i * stepInner] = sum * norm;
        sum += at(i + radius + 1) - at(i - radius);
      }
    }
    [from, to] = [to, from];
  };
  for (let k = 0; k < 3; k++) {
    pass(lines, columns, columns, 1);
    pass(columns, lines, 1, columns);
  }
  return from;
}

/**
 * How fast the sample changes with the code: the Frobenius norm of the decoder's Jacobian in the plane, by
 * differences between neighbours of a lattice of (columns+1) x (lines+1) decoded samples `dx`, `dy` apart.
 */
export function stretch(
  samples: Float32Array,
  size: number,
  columns: number,
  lines: number,
  dx: number,
  dy: number,
): Float32Array {
  const out = new Float32Array(columns * lines);
  const wide = columns + 1;
  for (let l = 0; l < lines; l++)
    for (let c = 0; c < columns; c++) {
      const at = (l * wide + c) * size,
        right = at + size,
        up = at + wide * size;
      let sx = 0,
        sy = 0;
      for (let k = 0; k < size; k++) {
        sx += (samples[right + k] - samples[at + k]) ** 2;
        sy += (samples[up + k] - samples[at + k]) ** 2;
      }
      out[l * columns + c] = Math.sqrt(sx / (dx * dx) + sy / (dy * dy));
    }
  return out;
}

/** The values below which the given shares of the finite values lie. */
export function quantiles(values: ArrayLike<number>, shares: readonly number[]): number[] {
  const sorted = Float64Array.from(Array.from(values).filter(Number.isFinite)).sort();
  return shares.map((share) => (sorted.length ? sorted[Math.round(share * (sorted.length - 1))] : 0));
}

/** Mean squared difference per value. */
export function meanSquaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return a.length ? sum / a.length : 0;
}

/** The order in which dimensions are shown: most used first (by KL where there is one, else by variance). */
export const byUse = (use: readonly number[]): number[] =>
  use.map((_, d) => d).sort((a, b) => use[b] - use[a] || a - b);

/** An image (h, w, C) drawn larger, (H, W, C): each pixel takes the value of the one it lies in. */
export function enlarged(values: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  const [h, w, channels] = from;
  const [height, width] = to;
  const out = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * h) / height) * w;
    for (let x = 0; x < width; x++) {
      const at = (row + Math.floor((x * w) / width)) * channels;
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = values[at + c];
    }
  }
  return out;
}
