/** What lies behind the points: decoded manifold, density, class regions, stretch. Computed in slices, for the region in view. */

import { amount } from "./colours";
import type { Explorer } from "./explorer";
import { flatContext } from "./map";
import { bin, blur, fromPixel, quantiles, stretch, toPixel, viewOf, type Camera, type Extent } from "./maths";
import { canvasSize } from "./paint";

export const LAYERS = [
  ["none", "none"],
  ["manifold", "decoded images"],
  ["density", "density"],
  ["classes", "class regions"],
  ["stretch", "decoder stretch"],
] as const;
export type LayerName = (typeof LAYERS)[number][0];

/** How many images or lattice points the region in view is divided into. */
const TILES = 400,
  PANELS = 120,
  LATTICE = 30;
/** What a slice may take: a frame has 16 ms, and the pointer's own decode must fit into the same one. */
const SLICE_MS = 6;

interface Picture {
  readonly canvas: HTMLCanvasElement;
  readonly extent: Extent;
  readonly smooth: boolean;
}

export class Ground {
  name: LayerName = "none";
  private picture: Picture | null = null;
  private timer = 0;
  private job = 0;

  constructor(private readonly desk: Explorer) {}

  set(name: LayerName): void {
    this.name = name;
    this.picture = null;
    this.desk.recolour();
    this.desk.map.ask("ground");
    this.refresh(0);
  }

  /** The camera moved: the old picture moves with it, the new one follows when the camera rests. */
  moved(): void {
    if (this.name !== "none") this.refresh(120);
  }

  /** With more than two dimensions the picture depends on the others, and those may have changed. */
  codeRested(): void {
    if (this.name === "manifold" || this.name === "stretch") this.refresh(60);
  }

  refresh(wait = 60): void {
    clearTimeout(this.timer);
    this.job++;
    if (this.name === "none") return;
    this.timer = window.setTimeout(() => void this.compute(this.job), wait);
  }

  private async compute(job: number): Promise<void> {
    const begun = performance.now();
    const { plane, map } = this.desk;
    const going = () => job === this.job;
    if (this.name === "density") this.density(map.camera);
    else if (this.name === "classes") await this.classes(map.camera, going);
    else if (!plane.move || !this.desk.decoder) this.picture = null;
    else if (this.name === "manifold") await this.manifold(map.camera, going);
    else await this.stretched(map.camera, going);
    if (!going()) return;
    performance.measure(`explorer:layer-${this.name}`, { start: begun, end: performance.now() });
    map.ask("ground");
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    if (!this.picture) return;
    const {
      canvas,
      extent: [x0, x1, y0, y1],
      smooth,
    } = this.picture;
    const [left, top] = toPixel(camera, x0, y1),
      [right, bottom] = toPixel(camera, x1, y0);
    context.save();
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, left, top, right - left, bottom - top);
    context.restore();
  }

  // ── decoded layers ────────────────────────────────────────────────────────

  private async manifold(camera: Camera, going: () => boolean): Promise<void> {
    const { desk } = this;
    // A line needs more room than an image to be read, and is wider than tall.
    const image = desk.card.dataset.kind === "image";
    const edge = Math.sqrt((camera.width * camera.height) / (image ? TILES : PANELS)),
      wide = image ? 1 : 1.3;
    const columns = Math.max(1, Math.round(camera.width / (edge * wide))),
      lines = Math.max(1, Math.round((camera.height * wide) / edge));
    const [w, tall] = canvasSize(desk.card.dataset);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [columns * w, lines * tall];
    const context = flatContext(canvas);
    const size = desk.card.dataset.shape.reduce((a, b) => a * b, 1);
    // From the middle outwards: one looks there first.
    const cells = Array.from({ length: columns * lines }, (_, i) => i);
    const away = (i: number) =>
      Math.hypot((i % columns) - (columns - 1) / 2, Math.floor(i / columns) - (lines - 1) / 2);
    cells.sort((a, b) => away(a) - away(b));
    const codes = cells.map((i) => {
      const [x, y] = fromPixel(
        camera,
        (((i % columns) + 0.5) * camera.width) / columns,
        ((Math.floor(i / columns) + 0.5) * camera.height) / lines,
      );
      return desk.plane.move!(desk.code, x, y);
    });
    let shown = 0;
    const picture: Picture = { canvas, extent: viewOf(camera), smooth: !image };
    // The old picture stays until the new one has something to show.
    await this.inSlices(codes, going, (values, first, count) => {
      for (let k = 0; k < count; k++)
        desk.painter.paintAt(
          context,
          (cells[first + k] % columns) * w,
          Math.floor(cells[first + k] / columns) * tall,
          w,
          tall,
          values,
          k * size,
        );
      if (first + count === codes.length || !this.picture) this.picture = picture;
      // Each showing draws all points again: not more often than an eye follows.
      if (performance.now() - shown < (desk.map.count > 200_000 ? 400 : 90)) return;
      shown = performance.now();
      desk.map.ask("ground");
    });
  }

  private async stretched(camera: Camera, going: () => boolean): Promise<void> {
    const { desk } = this;
    const columns = LATTICE,
      lines = Math.max(2, Math.round((LATTICE * camera.height) / camera.width));
    const size = desk.card.dataset.shape.reduce((a, b) => a * b, 1);
    const samples = new Float32Array((columns + 1) * (lines + 1) * size);
    const [x0, x1, y0, y1] = viewOf(camera);
    const dx = (x1 - x0) / columns,
      dy = (y1 - y0) / lines;
    const codes = Array.from({ length: (columns + 1) * (lines + 1) }, (_, i) =>
      desk.plane.move!(desk.code, x0 + (i % (columns + 1)) * dx, y0 + Math.floor(i / (columns + 1)) * dy),
    );
    const whole = await this.inSlices(codes, going, (values, first) => samples.set(values, first * size));
    if (whole && going()) this.heat(stretch(samples, size, columns, lines, dx, dy), columns, lines, camera, 0.75);
  }

  /** Decodes many codes without ever holding the page for longer than a slice. False when it was overtaken. */
  private async inSlices(
    codes: readonly Float32Array[],
    going: () => boolean,
    take: (values: Float32Array, first: number, count: number) => void,
  ): Promise<boolean> {
    const { desk } = this;
    const size = desk.card.codes.size;
    let batch = 1;
    for (let first = 0; first < codes.length;) {
      await breathe();
      if (!going() || !desk.decoder) return false;
      const count = Math.min(batch, codes.length - first);
      const block = new Float32Array(count * size);
      for (let k = 0; k < count; k++) block.set(codes[first + k], k * size);
      const begun = performance.now();
      const values = await desk.decoder.run(block, count).catch(() => null);
      if (!going()) return false;
      if (!values) continue;
      take(values, first, count);
      first += count;
      const spent = performance.now() - begun;
      batch = Math.max(1, Math.min(64, batch * 2, Math.floor((batch * SLICE_MS) / Math.max(0.2, spent))));
    }
    return true;
  }

  // ── layers from the points ────────────────────────────────────────────────

  private density(camera: Camera): void {
    const { desk } = this;
    const { xy, index } = desk.plane;
    const [columns, lines, radius] = cells(camera, 4);
    const grid = blur(
      bin(xy, viewOf(camera), columns, lines, (p) => desk.seen(index ? index[p] : p)),
      columns,
      lines,
      radius,
    );
    this.heat(grid.map(Math.sqrt), columns, lines, camera, 0.9, true);
  }

  private async classes(camera: Camera, going: () => boolean): Promise<void> {
    const { desk } = this;
    const {
      labels,
      card: { dataset },
    } = desk;
    const { xy, index } = desk.plane;
    const extent = viewOf(camera);
    // Each class is a picture of its own: of hundreds coarser ones.
    const [columns, lines, radius] = cells(camera, dataset.classes.length > 100 ? 8 : 4);
    const best = new Float32Array(columns * lines),
      second = new Float32Array(columns * lines),
      which = new Int32Array(columns * lines).fill(-1);
    let begun = performance.now();
    for (let c = 0; labels && c < dataset.classes.length; c++) {
      if (desk.hiddenClasses.has(c)) continue;
      if (performance.now() - begun > SLICE_MS) {
        await breathe();
        if (!going()) return;
        begun = performance.now();
      }
      const grid = blur(
        bin(xy, extent, columns, lines, (p) => labels[index ? index[p] : p] === c),
        columns,
        lines,
        radius,
      );
      for (let i = 0; i < grid.length; i++) {
        const v = grid[i];
        if (v > best[i]) {
          second[i] = best[i];
          best[i] = v;
          which[i] = c;
        } else if (v > second[i]) second[i] = v;
      }
    }
    this.paint(columns, lines, camera, true, (i) => {
      if (which[i] < 0 || best[i] < 1e-3) return [0, 0, 0, 0];
      // Strong where one class is alone, faint where two share the place.
      return [...desk.colourOf(which[i]), 40 + 120 * (1 - second[i] / best[i])];
    });
  }

  private heat(
    values: Float32Array,
    columns: number,
    lines: number,
    camera: Camera,
    opacity: number,
    fade = false,
  ): void {
    const [low, high] = quantiles(values, [fade ? 0 : 0.02, fade ? 1 : 0.98]);
    this.paint(columns, lines, camera, true, (i) => {
      const share = Math.max(0, Math.min(1, (values[i] - low) / (high - low || 1)));
      return [...amount(share), 255 * opacity * (fade ? Math.min(1, share * 4) : 1)];
    });
  }

  private paint(
    columns: number,
    lines: number,
    camera: Camera,
    smooth: boolean,
    colour: (i: number) => readonly number[],
  ): void {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [columns, lines];
    const image = new ImageData(columns, lines);
    for (let l = 0; l < lines; l++)
      for (let c = 0; c < columns; c++) image.data.set(colour(l * columns + c), 4 * ((lines - 1 - l) * columns + c));
    flatContext(canvas).putImageData(image, 0, 0);
    this.picture = { canvas, extent: viewOf(camera), smooth };
  }

  end(): void {
    clearTimeout(this.timer);
    this.job++;
  }
}

/** Columns and lines of a grid over the view whose cells are so many pixels wide, and the radius of a blur on it. */
function cells(camera: Camera, pixels: number): readonly [columns: number, lines: number, radius: number] {
  const columns = Math.ceil(camera.width / pixels);
  return [columns, Math.ceil(camera.height / pixels), Math.max(2, Math.round(columns / 50))];
}

/** Lets the page do everything that is more urgent: input first, then painting. */
function breathe(): Promise<unknown> {
  const scheduler = (globalThis as { scheduler?: { postTask(task: () => void, options: object): Promise<unknown> } })
    .scheduler;
  return scheduler
    ? scheduler.postTask(() => undefined, { priority: "background" })
    : new Promise((later) => setTimeout(later, 0));
}
