/** What a hand spoils: an image under a pen, or a signal or row whose values a pen moves. */

import type { Fit } from "../about";
import { cpuContext } from "../canvas";
import { h, setText } from "../dom";
import { listenToBrush, paintFitted, strokeLine, valuesOf } from "../input/brush";
import type { Point } from "../maths";
import { Painter, type Sampled } from "../paint";
import { randomFrom, scribbles } from "./spoiling";

export interface Pad {
  readonly element: HTMLElement;
  readonly painter: Painter;
  /** Shows values as they are given to the network. */
  show(values: Float32Array): void;
  /** Writes what the pen did onto values, in their place. */
  spoil(values: Float32Array): void;
  /** Takes away what the pen did. */
  clear(): void;
}

/** What a pad tells: `drawn` after each part of a stroke, `rested` when the pen is lifted. */
export interface Heard {
  drawn(begun: number): void;
  rested(): void;
}

/** What a pen does to an image: lines over it, dots over it, its watermark moved, or another image drawn. */
export const PENS = [
  ["light", "Light line"],
  ["dark", "Dark line"],
  ["dots", "Dots"],
  ["mark", "Move the watermark"],
  ["draw", "Draw an image"],
] as const;
export type Pen = (typeof PENS)[number][0];

const FINE = 224; // pixels of the side that is drawn on, about: strokes are round there and are then made small
const HIT = 0.3; // share of the pixels under the pen that dots hit at each move
const SLANT = -0.3; // of a watermark, in radians

const pixelsOf = (context: CanvasRenderingContext2D): ImageData =>
  context.getImageData(0, 0, context.canvas.width, context.canvas.height);

const described = (what: string): string => `${what}. Arrow keys move the pen, Space lowers and lifts it.`;

/** A canvas for one sample: an image in its own pixels, lines as fine as they are seen. */
export function sampleCanvas(painter: Painter, name: string): Sampled {
  const canvas = painter.canvas(name);
  if (painter.form.kind !== "image") [canvas.width, canvas.height] = [2 * canvas.width, 2 * canvas.height];
  return canvas;
}

function padCanvas(painter: Painter, words: string, message: HTMLElement): { canvas: Sampled; element: HTMLElement } {
  const canvas = sampleCanvas(painter, "hg-lab-pad");
  canvas.tabIndex = 0;
  canvas.dataset["testid"] = "lab-pad";
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", described(words));
  return { canvas, element: h("div", {}, canvas, message) };
}

export class ImagePad implements Pad {
  readonly element: HTMLElement;
  readonly painter: Painter;
  pen: Pen = "light";
  /** Width of the pen as a share of the image. */
  width = 0.08;
  /** Letters over the image; their opacity, and their height as a share of the image's. */
  text = "";
  strength = 0.6;
  size = 0.3;
  private place: Point = [0.5, 0.5];
  private readonly canvas: Sampled;
  /** Lines of the pen, and the drawing that is an image itself: finer than the image. */
  private readonly lines: CanvasRenderingContext2D;
  private readonly drawing: CanvasRenderingContext2D;
  private readonly letters: CanvasRenderingContext2D;
  private readonly small: CanvasRenderingContext2D;
  /** What dots made of a pixel; NaN where there are none. */
  private readonly dots: Float32Array;
  private readonly message = h("p", { class: "hg-sum", aria: { live: "polite" } });
  private readonly random = randomFrom(7);

  constructor(
    private readonly shape: readonly number[],
    private readonly fit: Fit | null,
    private readonly heard: Heard,
  ) {
    const [height, width] = shape;
    const k = Math.max(1, Math.round(FINE / Math.max(height, width)));
    this.width = Math.max(this.width, 1.2 / Math.min(height, width)); // thinner than a pixel it would be but a shade
    this.painter = new Painter({ kind: "image", shape });
    const { canvas, element } = padCanvas(this.painter, "The image with noise", this.message);
    [this.canvas, this.element] = [canvas, element];
    const layer = (scale: number) => cpuContext(h("canvas", { width: scale * width, height: scale * height }));
    [this.lines, this.drawing, this.letters, this.small] = [layer(k), layer(k), layer(k), layer(1)];
    this.dots = new Float32Array(height * width).fill(NaN);
    this.blank();
    listenToBrush(canvas, width, {
      line: (from, to) => this.line(from, to),
      changed: ({ begun }) => this.heard.drawn(begun),
      ended: () => this.heard.rested(),
      said: (words) => setText(this.message, words),
    });
  }

  show(values: Float32Array): void {
    this.canvas.sample = values;
    this.painter.paint(this.canvas, values);
  }

  /** The drawing as a sample, as large and as central as the dataset's own images are. */
  drawn(): Float32Array {
    paintFitted(this.drawing, this.small, this.fit);
    return valuesOf(pixelsOf(this.small), this.shape[2]);
  }

  /** The drawing as it lies under the pen. */
  raw(): Float32Array {
    paintFitted(this.drawing, this.small, null);
    return valuesOf(pixelsOf(this.small), this.shape[2]);
  }

  blank(): void {
    const { width, height } = this.drawing.canvas;
    this.drawing.fillStyle = "#000";
    this.drawing.fillRect(0, 0, width, height);
  }

  spoil(values: Float32Array): void {
    const [height, width, channels] = this.shape;
    const { small } = this;
    small.clearRect(0, 0, width, height);
    small.imageSmoothingQuality = "high";
    small.drawImage(this.lines.canvas, 0, 0, width, height);
    if (this.text) this.written(small);
    const { data } = pixelsOf(small);
    for (let p = 0; p < height * width; p++) {
      const over = data[4 * p + 3] / 255,
        dot = this.dots[p];
      for (let c = 0; c < channels; c++) {
        const at = p * channels + c;
        if (over) values[at] += over * (data[4 * p + Math.min(c, 2)] / 255 - values[at]);
        if (!Number.isNaN(dot)) values[at] = dot;
      }
    }
  }

  /** The watermark in white, written fine and then made small. */
  private written(small: CanvasRenderingContext2D): void {
    const { letters } = this,
      { width, height } = letters.canvas;
    letters.resetTransform();
    letters.clearRect(0, 0, width, height);
    letters.translate(this.place[0] * width, this.place[1] * height);
    letters.rotate(SLANT);
    letters.font = `600 ${this.size * height}px system-ui, sans-serif`;
    [letters.textAlign, letters.textBaseline, letters.fillStyle] = ["center", "middle", "#fff"];
    letters.fillText(this.text, 0, 0);
    small.globalAlpha = this.strength;
    small.drawImage(letters.canvas, 0, 0, small.canvas.width, small.canvas.height);
    small.globalAlpha = 1;
  }

  clear(): void {
    this.lines.clearRect(0, 0, this.lines.canvas.width, this.lines.canvas.height);
    this.dots.fill(NaN);
  }

  /** Puts the watermark into the middle. */
  centre(): void {
    this.place = [0.5, 0.5];
  }

  /** Lines over the image, as somebody scribbles; another seed, other lines. */
  scribble(seed: number): void {
    const { width, height } = this.lines.canvas;
    for (const points of scribbles(2, randomFrom(seed)))
      points.slice(1).forEach(([x, y], i) => {
        const [from, to] = [points[i], [x, y]].map(([a, b]) => [a * width, b * height] as const);
        strokeLine(this.lines, from, to, "#fff", 0.08 * Math.min(width, height));
      });
  }

  private line(from: Point, to: Point): void {
    const k = this.lines.canvas.width / this.canvas.width;
    const wide = this.width * Math.min(this.lines.canvas.width, this.lines.canvas.height);
    const [a, b] = [from, to].map(([x, y]) => [k * x, k * y] as const);
    if (this.pen === "dots") this.sprayed(to);
    else if (this.pen === "mark") this.place = [to[0] / this.canvas.width, to[1] / this.canvas.height];
    else if (this.pen === "draw") strokeLine(this.drawing, a, b, "#fff", wide);
    else strokeLine(this.lines, a, b, this.pen === "light" ? "#fff" : "#000", wide);
  }

  /** Black and white dots on some of the pixels under the pen. */
  private sprayed([x, y]: Point): void {
    const [height, width] = this.shape;
    const reach = Math.max(1.5, 1.5 * this.width * Math.min(width, height));
    for (let v = 0; v < height; v++)
      for (let u = 0; u < width; u++)
        if (Math.hypot(u + 0.5 - x, v + 0.5 - y) < reach && this.random() < HIT)
          this.dots[v * width + u] = this.random() < 0.5 ? 0 : 1;
  }
}

/** A signal or a row: the pen moves its values, to where it is. */
export class ValuePad implements Pad {
  readonly element: HTMLElement;
  readonly painter: Painter;
  private readonly canvas: Sampled;
  /** Where the pen put values; NaN where it was not. */
  private readonly moved: Float32Array;
  private readonly message = h("p", { class: "hg-sum", aria: { live: "polite" } });

  constructor(
    kind: string,
    private readonly shape: readonly number[],
    heard: Heard,
  ) {
    this.painter = new Painter({ kind, shape });
    const { canvas, element } = padCanvas(this.painter, "The values with noise, low to high", this.message);
    [this.canvas, this.element] = [canvas, element];
    this.moved = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(NaN);
    listenToBrush(canvas, shape[0], {
      line: (from, to) => this.line(from, to),
      changed: ({ begun }) => heard.drawn(begun),
      ended: () => heard.rested(),
      said: (words) => setText(this.message, words),
    });
  }

  show(values: Float32Array): void {
    this.canvas.sample = values;
    this.painter.paint(this.canvas, values);
  }

  spoil(values: Float32Array): void {
    for (let i = 0; i < values.length; i++) if (!Number.isNaN(this.moved[i])) values[i] = this.moved[i];
  }

  clear(): void {
    this.moved.fill(NaN);
  }

  /** Every value between the two places takes the pen's height; of several channels the first. */
  private line(from: Point, to: Point): void {
    const [steps, channels] = [this.shape[0], this.shape[1] ?? 1];
    const { width, height } = this.canvas;
    const index = (x: number) => Math.min(steps - 1, Math.max(0, Math.floor((x / width) * steps)));
    const [a, b] = [index(from[0]), index(to[0])];
    for (let i = Math.min(a, b); i <= Math.max(a, b); i++) {
      const share = a === b ? 1 : (i - a) / (b - a);
      const y = from[1] + share * (to[1] - from[1]);
      this.moved[i * channels] = Math.max(-3, Math.min(3, (3 * (height / 2 - y)) / (height / 2 - 3)));
    }
  }
}
