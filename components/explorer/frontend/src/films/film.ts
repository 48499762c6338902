/** The frames of a film, drawn on a canvas: what is decoded beside the map with a marker, or the map that forms. */

import { cpuContext } from "../canvas";
import type { Context } from "../context";
import type { Replay } from "../data";
import { drawAxes } from "../map/axes";
import { drawPoints2d } from "../map/canvas2d";
import { extentOf, fit, formatNumber, stopName, toPixel, type Camera, type Plane, type Point } from "../maths";
import { canvasSize, type Sampled } from "../paint";
import * as plan from "./choreography";

/** What a person chose. */
export interface Chosen {
  readonly what: plan.What;
  /** Pixels from top to bottom. */
  readonly size: number;
  readonly seconds: number;
  /** Frames a second. */
  readonly rate: number;
  readonly loop: boolean;
  /** Whether what is decoded is shown without the map. */
  readonly alone: boolean;
}

/** A canvas that says, beside what it shows now, what its film shows: tests compare that with what the shell films. */
export type Filmed = Sampled & { film?: Pick<Film, "codes" | "between" | "hundredths"> };

/** So many points are drawn at most: on so small a map more would be a blot. */
const POINTS = 10_000;

/** A plane on which each code has a place: the one that is shown, or the first. */
export function planeOf({ places, data }: Context): Plane {
  return places.plane.move ? places.plane : data.planes.find(({ move }) => move)!;
}

/** The stops of the tool Path, or some samples; and which samples these are. */
export function stopsOf({ state, data, card }: Context): { codes: readonly Float32Array[]; samples: number[] | null } {
  if (state.now.path.codes.length > 1) return { codes: state.now.path.codes, samples: null };
  const samples = plan.stopsOf(data.codes, card.codes.size, data.labels, card.dataset.classes.length);
  return { codes: samples.map((i) => data.codeOf(i)), samples };
}

/** Even numbers: videos have no others. */
const even = (value: number): number => 2 * Math.ceil(value / 2);

export class Film {
  readonly canvas: Filmed = document.createElement("canvas");
  readonly count: number;
  readonly hundredths: readonly number[];
  /** Whether what is decoded is grey. */
  readonly greys: boolean;
  /** The code of each frame; none where the map forms. */
  readonly codes: readonly Float32Array[];
  /** Where between the stored epochs each frame is, where the map forms. */
  readonly between: readonly number[] = [];
  private readonly plane: Plane;
  private readonly camera: Camera;
  private readonly context: CanvasRenderingContext2D;
  /** What is decoded, as large as it is drawn; the axes; the points, which move while the map forms. */
  private readonly sample: Sampled;
  private readonly ground = document.createElement("canvas");
  private readonly points = document.createElement("canvas");
  private readonly stops: readonly Float32Array[] = [];
  private readonly order: readonly number[] = [];
  /** From where on the map stands beside what is decoded. */
  private readonly left: number;
  private readonly placed = new Map<number, Float32Array>();
  private readonly pixels: readonly (Point | null)[];

  /** `replay` is what forms, where that is what is filmed. */
  constructor(
    private readonly from: Context,
    private readonly chosen: Chosen,
    private readonly replay: Replay | null,
  ) {
    const { what, size, seconds, rate, loop, alone } = chosen;
    const { card, painter, state, map } = from;
    const height = even(size);
    const [across, down] = canvasSize(painter.form);
    const panel = even(height * Math.max(0.5, Math.min(2, across / down)));
    this.left = what === "replay" ? 0 : panel;
    const { canvas } = this;
    canvas.width = this.left + (what === "replay" || !alone ? height : 0);
    canvas.height = height;
    this.context = cpuContext(canvas);
    this.greys = painter.form.kind === "image" && (painter.form.shape[2] ?? 1) < 3 && what !== "replay";
    this.sample = painter.canvas("");
    if (painter.form.kind !== "image")
      [this.sample.width, this.sample.height] = [panel, Math.round((panel * down) / across)];
    this.count = plan.framesOf(seconds, rate);
    this.hundredths = plan.hundredthsOf(what, this.count, rate);
    const plane = (this.plane = planeOf(from));
    this.camera = fit(extentOf(plane.xy), height, height, Math.max(12, height * 0.09));
    const base = Float32Array.from(state.now.code);
    this.codes = [];
    if (what === "path") {
      this.stops = stopsOf(from).codes;
      this.codes = plan.path(this.stops, this.count, loop, state.now.path.codes.length > 1 && state.now.path.spherical);
    } else if (what === "dimensions") {
      this.order = plan.dimensionsOf(card.codes);
      this.codes = plan.dimensions(base, card.codes, this.order, this.count, loop);
    } else if (what === "walk") this.codes = plan.walk(plane, base, this.count, loop);
    else this.between = plan.epochs(this.count, card.replay!.epochs.length);
    canvas.film = this;
    this.pixels = this.codes.map((code) => this.pixelOf(code));
    for (const one of [this.ground, this.points]) one.width = one.height = height;
    const ground = cpuContext(this.ground);
    ground.fillStyle = map.ink.paper;
    ground.fillRect(0, 0, height, height);
    drawAxes(ground, this.camera, plane.axes, map.ink);
    this.makeOpaque(ground); // where letters stand, the live map leaves out points
    if (what !== "replay" && !alone) this.drawPoints(...thinned(plane));
  }

  private makeOpaque(context: CanvasRenderingContext2D): void {
    const { width, height } = context.canvas;
    const image = context.getImageData(0, 0, width, height);
    for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
    context.putImageData(image, 0, 0);
  }

  private pixelOf(code: ArrayLike<number>): Point | null {
    const at = this.plane.place(code);
    return at && toPixel(this.camera, at[0], at[1]);
  }

  private drawPoints(xy: Float32Array, index: Int32Array | null): void {
    const count = xy.length / 2;
    const { rows, table, rings } = this.from.colouring.inks(index, count);
    const size = (Math.max(2, 11 - 1.85 * Math.log10(Math.max(1, count))) * this.canvas.height) / 480;
    const drawn = { xy, from: null, rows, highlighted: null };
    drawPoints2d(cpuContext(this.points), this.camera, drawn, table, rings, Math.max(1.5, size), true);
  }

  /** Draws frame `k` on the canvas. */
  paint(k: number): void {
    const { context, canvas, left, from, chosen } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = from.map.ink.paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (chosen.what === "replay") return this.paintEpoch(k);
    const values = from.decoding.decoder!.run(this.codes[k]);
    from.painter.paint(this.sample, values);
    canvas.sample = values;
    this.paintSample();
    if (chosen.alone) return;
    context.translate(left, 0);
    this.paintMap();
    const [d, begun, end] = this.legOf(k);
    this.paintWay(this.pixels.slice(begun, end));
    this.paintMarker(this.pixels[k]);
    if (chosen.what === "dimensions") {
      this.say(`z${d + 1} = ${formatNumber(this.codes[k][d])}`);
    }
  }

  /** Pixels stay squares: each becomes so many of the film's, a whole number of them. */
  private paintSample(): void {
    const { context, sample, canvas, left } = this;
    const most = Math.min(left / sample.width, canvas.height / sample.height);
    const scale = most >= 1 ? Math.floor(most) : most;
    const [width, height] = [sample.width * scale, sample.height * scale];
    context.imageSmoothingEnabled = scale < 1;
    const [x, y] = [Math.floor((left - width) / 2), Math.floor((canvas.height - height) / 2)];
    context.drawImage(sample, x, y, width, height);
  }

  private paintMap(): void {
    this.context.drawImage(this.ground, 0, 0);
    this.context.drawImage(this.points, 0, 0);
  }

  /** The dimension that moves in frame `k`, and the frames in which it does: first and one past the last; else all frames. */
  private legOf(k: number): readonly [dimension: number, first: number, end: number] {
    const { order, count, chosen } = this;
    if (!order.length) return [0, 0, count];
    const moving = (k: number) => plan.dimensionAt(order, k, count, chosen.loop)[0];
    const d = moving(k);
    let [first, end] = [k, k + 1];
    while (first > 0 && moving(first - 1) === d) first--;
    while (end < count && moving(end) === d) end++;
    return [d, first, end];
  }

  /** The way that the marker goes, and the stops on it. */
  private paintWay(pixels: readonly (Point | null)[]): void {
    const { context, stops, chosen } = this;
    const { ink } = this.from.map;
    const k = this.canvas.height / 320;
    context.beginPath();
    for (const at of pixels) if (at) context.lineTo(at[0], at[1]);
    if (chosen.loop && pixels[0] && pixels.length === this.count) context.lineTo(pixels[0][0], pixels[0][1]);
    context.lineJoin = "round";
    for (const [colour, width] of [
      [ink.paper, 4 * k],
      [ink.text, 1.5 * k],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
    context.font = `600 ${Math.round(11 * k)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    stops.forEach((code, i) => {
      const at = this.pixelOf(code);
      if (!at) return;
      this.circle(at, 8 * k);
      context.fillStyle = ink.text;
      context.fill();
      context.fillStyle = ink.paper;
      context.fillText(stopName(i), at[0], at[1] + 0.5);
    });
  }

  private circle(at: Point, radius: number): void {
    this.context.beginPath();
    this.context.arc(at[0], at[1], radius, 0, 7);
  }

  private paintMarker(at: Point | null): void {
    if (!at) return;
    const { context } = this;
    const { ink } = this.from.map;
    const k = this.canvas.height / 320;
    this.circle(at, 9 * k);
    for (const [colour, width] of [
      [ink.paper, 6 * k],
      [this.from.painter.ink, 2.5 * k],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  /** Words in the corner of the map where no axis has its name. */
  private say(words: string): void {
    const { context, canvas } = this;
    const { ink } = this.from.map;
    const size = Math.max(12, Math.round(canvas.height / 20));
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = "right";
    context.textBaseline = "alphabetic";
    context.lineJoin = "round";
    context.strokeStyle = ink.paper;
    context.lineWidth = size / 3;
    const [x, y] = [canvas.height - 8, size + 6];
    context.strokeText(words, x, y);
    context.fillStyle = this.from.painter.ink;
    context.fillText(words, x, y);
  }

  private paintEpoch(k: number): void {
    const { epochs } = this.from.card.replay!;
    const at = this.between[k],
      first = Math.min(epochs.length - 2, Math.floor(at));
    const [from, to] = [this.placesOf(first), this.placesOf(first + 1)];
    this.drawPoints(
      from.map((v, i) => v + (to[i] - v) * (at - first)),
      this.replay!.index,
    );
    this.paintMap();
    this.say(`epoch ${epochs[Math.floor(at + 0.5)]} of ${epochs[epochs.length - 1]}`);
  }

  /** Where the samples were after the epoch that is stored as number `e`. */
  private placesOf(e: number): Float32Array {
    let xy = this.placed.get(e);
    if (xy) return xy;
    const { size } = this.from.card.codes,
      { count } = this.from.card.replay!;
    xy = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const at = (e * count + i) * size;
      xy.set(this.plane.place(this.replay!.codes.subarray(at, at + size)) ?? [NaN, NaN], 2 * i);
    }
    this.placed.set(e, xy);
    return xy;
  }
}

/** At most so many of a plane's points, evenly chosen, and which codes these are. */
function thinned({ xy, index }: Plane): [Float32Array, Int32Array | null] {
  const count = xy.length / 2,
    step = Math.ceil(count / POINTS);
  if (step < 2) return [xy, index];
  const kept = Int32Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
  const places = Float32Array.from({ length: 2 * kept.length }, (_, i) => xy[2 * kept[i >> 1] + (i % 2)]);
  return [places, index ? kept.map((p) => index[p]) : kept];
}
