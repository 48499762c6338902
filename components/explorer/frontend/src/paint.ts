/** Samples onto canvases: images as pixels, signals as lines, table rows as bars. */

import { cpuContext } from "./canvas";

/** What of a dataset decides how its samples are painted. */
export interface SampleForm {
  readonly kind: string;
  readonly shape: readonly number[];
}

/**
 * A canvas that says which numbers it shows, before they became bytes: the decoded picture has the decoder's output
 * here, the drawing pad what the encoder was given. Tests compare them with what onnxruntime gives in Python. `of` is
 * the stored sample that the canvas is for, where it is for one.
 */
export type Sampled = HTMLCanvasElement & { sample?: ArrayLike<number>; of?: number };

/** The pixels a small canvas needs for one sample. */
export function canvasSize({ kind, shape }: SampleForm): readonly [width: number, height: number] {
  return kind === "image" && shape.length === 3 ? [shape[1], shape[0]] : [120, 76];
}

/** Writes values in [0, 1] (or bytes, with `scale` 1) as grey or colour into RGBA; a second channel alone is ignored. */
export function toPixels(
  values: ArrayLike<number>,
  offset: number,
  shape: readonly number[],
  scale: number,
  out: Uint8ClampedArray,
): void {
  const channels = shape[2] ?? 1;
  const count = shape[0] * shape[1];
  for (let i = 0; i < count; i++) {
    const at = offset + i * channels;
    const grey = channels < 3;
    out[4 * i] = values[at] * scale;
    out[4 * i + 1] = values[grey ? at : at + 1] * scale;
    out[4 * i + 2] = values[grey ? at : at + 2] * scale;
    out[4 * i + 3] = 255;
  }
}

/** Paints samples of one kind small, on canvases of their own size; keeps its buffer, so that nothing is made per frame. */
export class Painter {
  private readonly image: ImageData | null;
  /** The colour of lines and bars; follows the theme. */
  ink = "#000";

  constructor(readonly form: SampleForm) {
    const [width, height] = canvasSize(form);
    this.image = form.kind === "image" ? new ImageData(width, height) : null;
  }

  canvas(name: string): Sampled {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = canvasSize(this.form);
    canvas.className = name;
    return canvas;
  }

  paint(canvas: Sampled, values: ArrayLike<number>, offset = 0, scale = 255): void {
    const context = cpuContext(canvas);
    if (this.image) {
      toPixels(values, offset, this.form.shape, scale, this.image.data);
      context.putImageData(this.image, 0, 0);
      return;
    }
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.line(context, 0, 0, canvas.width, canvas.height, values, offset);
  }

  /** A sample inside a larger picture: the pixels of an image, or a signal in a box. */
  paintAt(
    context: CanvasRenderingContext2D,
    x: number,
    y: number,
    width: number,
    height: number,
    values: ArrayLike<number>,
    offset: number,
  ): void {
    if (!this.image) return this.line(context, x, y, width, height, values, offset, 0.55);
    toPixels(values, offset, this.form.shape, 255, this.image.data);
    context.putImageData(this.image, x, y);
  }

  /** Standardised values between -3 and 3: a line per channel for a signal, a bar per feature for a row. */
  private line(
    context: CanvasRenderingContext2D,
    x: number,
    top: number,
    width: number,
    height: number,
    values: ArrayLike<number>,
    offset: number,
    opacity = 1,
  ): void {
    const [steps, channels] = [this.form.shape[0], this.form.shape[1] ?? 1];
    const y = (v: number) => top + height / 2 - (Math.max(-3, Math.min(3, v)) / 3) * (height / 2 - 3);
    context.strokeStyle = context.fillStyle = this.ink;
    if (this.form.shape.length === 1) {
      const w = width / steps;
      for (let i = 0; i < steps; i++)
        context.fillRect(
          x + i * w + w * 0.15,
          Math.min(y(0), y(values[offset + i])),
          w * 0.7,
          Math.max(1, Math.abs(y(0) - y(values[offset + i]))),
        );
      return;
    }
    context.lineWidth = 2;
    context.lineJoin = "round";
    for (let c = 0; c < channels; c++) {
      context.globalAlpha = opacity * (1 - (0.65 * c) / channels);
      context.beginPath();
      for (let t = 0; t < steps; t++)
        context.lineTo(x + 2 + (t / Math.max(1, steps - 1)) * (width - 4), y(values[offset + t * channels + c]));
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
