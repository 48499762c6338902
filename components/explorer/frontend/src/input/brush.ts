/** A brush on a canvas, by pointer and by keys, and what of a drawing a network is given. */

import type { Fit } from "../about";
import { causeOf, type Cause } from "../cause";
import { inkOf, type Point } from "../maths";

export interface Strokes {
  /** A stroke begins or goes on, in pixels of the canvas. */
  line(from: Point, to: Point): void;
  /** What was drawn since the last call is to be shown. */
  changed(cause: Cause): void;
  /** The pointer was lifted. */
  ended?(): void;
  /** Words for those who listen: whether the brush is down. */
  said(words: string): void;
}

/**
 * Hears a pointer and keys on `pad`: arrow keys move the brush by a pixel of the sample (`width` of them across), by three
 * with Shift; Space lowers and lifts it.
 */
export function listenToBrush(pad: HTMLCanvasElement, width: number, strokes: Strokes): void {
  let last: Point | null = null,
    cursor: Point = [pad.width / 2, pad.height / 2],
    down = false;
  const place = (event: PointerEvent): Point => {
    const box = pad.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * pad.width,
      ((event.clientY - box.top) / box.height) * pad.height,
    ];
  };
  pad.addEventListener("pointerdown", (event) => {
    const cause = causeOf(event);
    pad.setPointerCapture(event.pointerId);
    last = place(event);
    strokes.line(last, last);
    strokes.changed(cause);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!last) return;
    const cause = causeOf(event);
    // All places since the last frame: a fast stroke stays round.
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const at = place(one);
      strokes.line(last, at);
      last = at;
    }
    strokes.changed(cause);
  });
  const end = () => {
    if (last) strokes.ended?.();
    last = null;
  };
  pad.addEventListener("pointerup", end);
  pad.addEventListener("pointercancel", end);
  pad.addEventListener("keydown", (event) => {
    const step = (pad.width / width) * (event.shiftKey ? 3 : 1);
    const by = (
      { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] } as Record<
        string,
        Point
      >
    )[event.key];
    const cause = causeOf(event);
    if (event.key === " ") {
      down = !down;
      strokes.said(down ? "The brush is down." : "The brush is up.");
      if (down) {
        strokes.line(cursor, cursor);
        strokes.changed(cause);
      } else strokes.ended?.();
    } else if (by) {
      const next: Point = [
        Math.max(0, Math.min(pad.width, cursor[0] + by[0])),
        Math.max(0, Math.min(pad.height, cursor[1] + by[1])),
      ];
      if (down) {
        strokes.line(cursor, next);
        strokes.changed(cause);
      }
      cursor = next;
    } else return;
    event.preventDefault();
  });
}

/** A line with round ends; one of no length is a dot. */
export function strokeLine(
  pixels: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  colour: string,
  width: number,
): void {
  pixels.strokeStyle = colour;
  pixels.lineWidth = width;
  pixels.lineCap = "round";
  pixels.beginPath();
  pixels.moveTo(from[0], from[1]);
  pixels.lineTo(to[0] + 0.01, to[1]); // a line of no length is not drawn by every browser
  pixels.stroke();
}

/** Paints a drawing small; with `fit`, its strokes as large and as central as the dataset's own images are. */
export function paintFitted(
  drawing: CanvasRenderingContext2D,
  onto: CanvasRenderingContext2D,
  fit: Fit | null | undefined,
): void {
  const [pad, { width, height }] = [drawing.canvas, onto.canvas];
  onto.imageSmoothingQuality = "high";
  const ink = fit ? inkOf(drawing.getImageData(0, 0, pad.width, pad.height)) : null;
  if (!fit || !ink) return onto.drawImage(pad, 0, 0, width, height);
  const k = (fit.share * Math.max(width, height)) / Math.max(ink.right - ink.left, ink.bottom - ink.top);
  const [x, y] = fit.centre === "mass" ? ink.mass : [(ink.left + ink.right) / 2, (ink.top + ink.bottom) / 2];
  onto.fillStyle = "#000";
  onto.fillRect(0, 0, width, height);
  onto.drawImage(pad, width / 2 - x * k, height / 2 - y * k, pad.width * k, pad.height * k);
}

/** Pixels as a network sees them: H x W x C in [0, 1], grey or in colour. */
export function valuesOf({ data }: Pick<ImageData, "data">, channels: number): Float32Array<ArrayBuffer> {
  const count = data.length / 4;
  const out = new Float32Array(count * channels);
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels >= 3) out.set([r / 255, g / 255, b / 255], i * channels);
    else out[i * channels] = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
  }
  return out;
}
