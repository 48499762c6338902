/**
 * The map: points by WebGL 2 (by a 2-D canvas where there is none), what lies behind them, and what lies above.
 *
 * The background (axes, layers) is painted apart and handed to the points' own canvas, which is opaque: a browser puts
 * the page together anew at every pointer move, and each large transparent canvas costs it as much as the rest. The points
 * are kept as they were drawn while only the background changes: seventy thousand of them take software 50 ms. The
 * marker is an element that moves. A second canvas, the overlay, is there only while a tool draws.
 */

import { cpuContext, type Ink } from "../canvas";
import { extentOf, fit, panBy, resized, zoomAt, type Camera, type Extent } from "../maths";
import { drawAxes } from "./axes";
import { drawPoints2d } from "./canvas2d";
import { WebglPoints, type Anew, type Rings } from "./webgl";

/** While the map moves about so many points are drawn; all of them once it has rested for a moment. */
const MOVING = 100_000,
  REST_MS = 180;

/** What is drawn anew. "lit" are the points that stand out, alone. */
export type Part = "points" | "lit" | "background" | "overlay";
type Paint = (context: CanvasRenderingContext2D, camera: Camera) => void;

export class PointMap {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  private readonly background = document.createElement("canvas");
  private readonly overlay = document.createElement("canvas");
  private webgl: WebglPoints | null;
  private readonly flat: CanvasRenderingContext2D | null;
  /** The points alone, where there is no WebGL. */
  private readonly sheet = document.createElement("canvas");
  private contextLost = false;

  private xy = new Float32Array(0);
  private from: Float32Array | null = null;
  private rows: Uint8Array | null = null;
  private highlighted: Uint8Array | null = null;
  private table = new Uint8Array(4 * 256);
  private rings: Rings = null;
  private movingTimer = 0;
  private glideStart = 0;
  private glideTime = 0;
  private held: number | null = null;
  private readonly outdated = new Set<Part>();
  private frame = 0;
  private ended = false;

  camera: Camera = fit([-1, 1, -1, 1], 300, 300);
  private extent: Extent = [-1, 1, -1, 1];
  /** Whether a hand has moved it since all of it was shown. */
  byHand = false;
  ink: Pick<Ink, "text" | "line" | "paper"> = { text: "#555", line: "#8884", paper: "#fff" };
  axes: readonly [string, string] = ["z1", "z2"];
  /** Draws a layer behind the points, in pixels of the page. */
  drawLayer: Paint | null = null;
  /** How opaque all points together are above that layer, from 0 to 1. */
  pointOpacity: () => number = () => 1;
  /** Draws what a tool shows above the points. */
  drawOverlay: Paint | null = null;
  /** Whether a tool has anything to draw above the points. */
  hasOverlay: () => boolean = () => true;
  /** Moves the marker. */
  placeMarks: (() => void) | null = null;
  /** Draws the marker, where a picture is saved. */
  drawMarks: ((context: CanvasRenderingContext2D) => void) | null = null;
  onCamera: ((camera: Camera) => void) | null = null;

  constructor(private readonly reducedMotion: () => boolean) {
    this.element.className = "hg-map";
    this.canvas.className = "hg-points";
    this.overlay.className = "hg-sheet";
    this.background.className = "hg-ground";
    this.background.hidden = true; // it is shown through the points' canvas
    this.element.append(this.background, this.canvas, this.overlay);
    this.canvas.dataset["testid"] = "latent-map";
    this.overlay.setAttribute("aria-hidden", "true");
    this.overlay.hidden = true;
    this.webgl = WebglPoints.create(this.canvas);
    this.flat = this.webgl ? null : this.canvas.getContext("2d", { alpha: false });
    // Without preventDefault a lost context never comes back.
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.contextLost = true;
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.contextLost = false;
      this.webgl = WebglPoints.create(this.canvas);
      this.usable?.setPoints(this.points);
      this.usable?.setTable(this.table, this.rings);
      this.redraw("points", "background");
    });
  }

  get accelerated(): boolean {
    return this.webgl !== null;
  }

  private get usable(): WebglPoints | null {
    return this.contextLost ? null : this.webgl;
  }

  get count(): number {
    return this.xy.length / 2;
  }

  /** New places of the points. As many points as before glide there, unless motion is unwelcome. */
  setPoints(xy: Float32Array, rows: Uint8Array, glide = 0): void {
    const gliding = glide > 0 && xy.length === this.xy.length && !this.reducedMotion() && this.webgl !== null;
    this.from = gliding ? this.currentXy() : null;
    this.xy = xy as Float32Array<ArrayBuffer>;
    this.rows = rows;
    this.highlighted = null;
    this.held = null;
    this.glideTime = gliding ? glide : 0;
    this.glideStart = performance.now();
    this.usable?.setPoints(this.points);
    this.redraw("points");
  }

  /** Points on the way from one place to another; `share` says how far they are. */
  setBetween(from: Float32Array, to: Float32Array, rows: Uint8Array): void {
    this.setPoints(to, rows);
    this.from = from;
    this.held = 0;
    this.usable?.setPoints(this.points);
  }

  /** How far points that are between two places are on their way: 0 to 1. */
  set share(value: number) {
    this.held = value;
    this.redraw("points");
  }

  private get points() {
    return { xy: this.xy, from: this.from, rows: this.rows, highlighted: this.highlighted };
  }

  /** Where the points are at this moment, in the middle of a glide too, so that a new one starts from there. */
  private currentXy(): Float32Array {
    const t = this.glideShare();
    if (!this.from || t >= 1) return this.xy;
    const { from, xy } = this;
    return xy.map((v, i) => from[i] + (v - from[i]) * t);
  }

  private glideShare(): number {
    if (this.held !== null) return this.held;
    if (!this.glideTime) return 1;
    const t = Math.min(1, (performance.now() - this.glideStart) / this.glideTime);
    return t * t * (3 - 2 * t);
  }

  /** The row of the colour table that each point takes. */
  setRows(rows: Uint8Array): void {
    this.rows = rows;
    this.usable?.setRows(rows);
    this.redraw("points");
  }

  /**
   * 256 colours (r, g, b, a) of which each point takes one; alpha 0 hides its points. `rings` is the colour of the rings
   * around points far beyond the scale, where the colours are a scale.
   */
  setTable(table: Uint8Array, rings: Rings): void {
    this.table = table as Uint8Array<ArrayBuffer>;
    this.rings = rings;
    this.usable?.setTable(table, rings);
    this.redraw("points");
  }

  /** Which points stand out; null when none does. */
  highlight(points: Uint8Array | null): void {
    if (!points && !this.highlighted) return;
    this.highlighted = points;
    this.usable?.setHighlighted(points);
    this.redraw("lit");
  }

  /** The points that "show all" shows; at once where `whole`. */
  setExtent(xy: Float32Array, whole = true): void {
    this.extent = extentOf(xy);
    if (whole) this.showAll();
  }

  showAll(): void {
    this.byHand = false;
    this.move(this.fullCamera());
  }

  /** The camera that shows all points. */
  fullCamera(): Camera {
    return fit(this.extent, this.camera.width, this.camera.height);
  }

  move(camera: Camera): void {
    // Past these the numbers of the graphics card no longer tell two points apart, or everything is one pixel.
    const span = Math.max(this.extent[1] - this.extent[0], this.extent[3] - this.extent[2]) || 1;
    const across = camera.width / camera.sx;
    if (across > span * 50 || across < span / 20000) return;
    this.camera = camera;
    if (this.count > MOVING) {
      clearTimeout(this.movingTimer);
      this.movingTimer = window.setTimeout(() => ((this.movingTimer = 0), this.redraw("points")), REST_MS);
    }
    this.redraw("points", "background", "overlay");
    this.onCamera?.(camera);
  }

  zoom(px: number, py: number, factor: number): void {
    this.byHand = true;
    this.move(zoomAt(this.camera, px, py, factor));
  }

  /** Zooms while the middle of the map stays where it is. */
  zoomCentre(factor: number): void {
    this.zoom(this.camera.width / 2, this.camera.height / 2, factor);
  }

  pan(dx: number, dy: number): void {
    this.byHand = true;
    this.move(panBy(this.camera, dx, dy));
  }

  /** Follows the size of its element. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width < 2 || height < 2) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [this.background, this.canvas, this.overlay, ...(this.flat ? [this.sheet] : [])]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const first = this.camera.width === 300 && this.camera.height === 300;
    this.camera = first ? fit(this.extent, width, height) : resized(this.camera, width, height);
    this.redraw("points", "background", "overlay");
    this.onCamera?.(this.camera);
  }

  /** Has these parts drawn in the next frame. */
  redraw(...parts: Part[]): void {
    for (const part of parts) this.outdated.add(part);
    if (!this.frame && !this.ended) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    const parts = new Set(this.outdated);
    this.outdated.clear();
    if (parts.has("background")) this.drawBackground();
    const anew = parts.has("points") ? "all" : parts.has("lit") ? "lit" : "none";
    if (anew !== "none" || parts.has("background")) this.drawPoints(anew);
    if (parts.has("overlay")) this.drawAbove();
    if (this.held === null && this.glideShare() < 1) this.redraw("points");
  }

  /** The diameter of a point in pixels of the page: small where there are many, larger as one zooms in. */
  private pointSize(): number {
    const full = this.fullCamera();
    const zoom = Math.sqrt((this.camera.sx * this.camera.sy) / (full.sx * full.sy));
    const base = 11 - 1.85 * Math.log10(Math.max(1, this.count));
    return Math.max(1.2, Math.min(14, base * Math.max(1, zoom) ** 0.4));
  }

  private drawPoints(anew: Anew): void {
    const { camera, flat, sheet } = this,
      opacity = this.pointOpacity();
    const size = this.pointSize() * (this.canvas.width / Math.max(1, camera.width));
    const step = this.movingTimer ? Math.max(1, Math.min(31, Math.ceil(this.count / MOVING))) : 1;
    if (!flat) return this.usable?.draw({ camera, size, glide: this.glideShare(), step, opacity }, anew);
    if (anew !== "none")
      drawPoints2d(
        sheet.getContext("2d")!,
        camera,
        { ...this.points, xy: this.currentXy() },
        this.table,
        this.rings,
        size,
      );
    flat.fillStyle = this.ink.paper;
    flat.fillRect(0, 0, this.canvas.width, this.canvas.height);
    flat.drawImage(this.background, 0, 0);
    flat.globalAlpha = opacity;
    flat.drawImage(sheet, 0, 0);
    flat.globalAlpha = 1;
  }

  private drawOn(canvas: HTMLCanvasElement, paint: Paint | null): void {
    const context = cpuContext(canvas);
    const k = canvas.width / Math.max(1, this.camera.width);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(k, 0, 0, k, 0, 0);
    paint?.(context, this.camera);
  }

  private drawBackground(): void {
    this.drawOn(this.background, (context, camera) => {
      context.fillStyle = this.ink.paper;
      context.fillRect(0, 0, camera.width, camera.height);
      this.drawLayer?.(context, camera);
      drawAxes(context, camera, this.axes, this.ink);
    });
    this.usable?.setBackground(this.background);
  }

  /** The marker is moved by the page alone; the overlay is a large picture and is touched only where a tool draws. */
  private drawAbove(): void {
    this.placeMarks?.();
    const wanted = this.drawOverlay !== null && this.hasOverlay();
    this.overlay.hidden = !wanted;
    if (wanted) this.drawOn(this.overlay, this.drawOverlay);
  }

  /** Everything that is visible, as one picture. It is drawn anew because WebGL forgets it after each frame. */
  picture(): HTMLCanvasElement {
    const out = document.createElement("canvas");
    out.width = this.canvas.width;
    out.height = this.canvas.height;
    const context = out.getContext("2d")!;
    this.movingTimer = 0;
    this.drawBackground();
    this.drawPoints("all");
    context.drawImage(this.canvas, 0, 0);
    const k = out.width / Math.max(1, this.camera.width);
    context.setTransform(k, 0, 0, k, 0, 0);
    this.drawOverlay?.(context, this.camera);
    this.drawMarks?.(context);
    return out;
  }

  end(): void {
    this.ended = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.movingTimer);
    this.webgl?.release();
    this.webgl = null;
    this.element.remove();
  }
}
