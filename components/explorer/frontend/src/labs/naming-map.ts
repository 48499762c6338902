/** A map on which samples are picked, by a click or by a shape drawn around them. */

import type { Ink } from "../canvas";
import { h } from "../dom";
import { extentOf, pointsInside } from "../maths";
import { themeOf } from "../theme";

export interface Dots {
  /** The class that a point was given, -1 where none. */
  readonly named: Int32Array;
  /** The class that is told of it, -1 where none. */
  readonly told: Int32Array;
  readonly picked: ReadonlySet<number>;
}

const EDGE = 14, // pixels around the points
  NEAR = 14; // pixels from a point that a click may miss it by

export class NamingMap {
  readonly element = h("canvas", {
    class: "hg-lab-map",
    role: "img",
    aria: { label: "Map of the codes. Click a sample, or draw around several" },
    data: { testid: "lab-map" },
  });
  private xy = new Float32Array(0);
  private dots: Dots | null = null;
  private colours: readonly string[] = [];
  private lasso: number[] = [];
  /** The dots alone: while a lasso grows they are not drawn anew. */
  private readonly still = h("canvas", {});
  private ink: Ink | null = null;
  private scale = 1;
  private origin: readonly [number, number] = [0, 0];
  private readonly resized = new ResizeObserver(() => this.draw());

  constructor(private readonly picked: (places: readonly number[]) => void) {
    const { element } = this;
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      this.lasso = [...this.at(event)];
    });
    element.addEventListener("pointermove", (event) => {
      if (!element.hasPointerCapture(event.pointerId)) return;
      this.lasso.push(...this.at(event));
      this.drawLasso();
    });
    element.addEventListener("pointerup", () => this.close());
    element.addEventListener("pointercancel", () => {
      this.lasso = [];
      this.drawLasso();
    });
    this.resized.observe(element);
  }

  show(xy: Float32Array<ArrayBuffer>, colours: readonly string[]): void {
    [this.xy, this.colours] = [xy, colours];
  }

  update(dots: Dots): void {
    this.dots = dots;
    this.draw();
  }

  end(): void {
    this.resized.disconnect();
  }

  private at(event: PointerEvent): readonly [number, number] {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private close(): void {
    const { lasso, xy } = this;
    if (!lasso.length) return; // it was pressed elsewhere
    this.lasso = [];
    const across = lasso.filter((_, i) => i % 2 === 0),
      down = lasso.filter((_, i) => i % 2);
    const size = Math.max(...across) - Math.min(...across) + Math.max(...down) - Math.min(...down);
    if (lasso.length < 6 || size < 12) {
      let nearest = -1,
        least = NEAR * NEAR;
      for (let i = 0; 2 * i < xy.length; i++) {
        const [x, y] = this.pixel(i);
        const apart = (x - lasso[0]) ** 2 + (y - lasso[1]) ** 2;
        if (apart < least) [nearest, least] = [i, apart];
      }
      this.picked(nearest < 0 ? [] : [nearest]);
    } else {
      const corners = lasso.map((v, i) => this.origin[i % 2] + (i % 2 ? -v : v) / this.scale);
      this.picked([...pointsInside(xy, corners)]);
    }
  }

  private pixel(i: number): readonly [number, number] {
    const { xy, origin, scale } = this;
    return [(xy[2 * i] - origin[0]) * scale, (origin[1] - xy[2 * i + 1]) * scale];
  }

  draw(): void {
    const { element, still, xy, dots } = this;
    const [width, height] = [element.clientWidth, element.clientHeight];
    const root = element.closest(".hg");
    const context = still.getContext("2d");
    if (!dots || !xy.length || !width || !root || !context) return;
    const ratio = devicePixelRatio || 1;
    for (const canvas of [element, still])
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    context.scale(ratio, ratio);
    const [x0, x1, y0, y1] = extentOf(xy);
    this.scale = Math.min((width - 2 * EDGE) / (x1 - x0 || 1), (height - 2 * EDGE) / (y1 - y0 || 1));
    this.origin = [(x0 + x1 - width / this.scale) / 2, (y0 + y1 + height / this.scale) / 2];
    const theme = themeOf(root);
    const dot = (i: number, radius: number) => {
      const [x, y] = this.pixel(i);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
    };
    const small = Math.max(1.8, Math.min(3.2, width / 180));
    for (let i = 0; 2 * i < xy.length; i++) {
      if (dots.named[i] >= 0 || dots.picked.has(i)) continue;
      context.globalAlpha = dots.told[i] < 0 ? 0.55 : 0.5;
      context.fillStyle = this.colours[dots.told[i]] ?? `rgb(${theme.grey.join(" ")})`;
      dot(i, small);
      context.fill();
    }
    context.globalAlpha = 1;
    context.strokeStyle = theme.ink.text;
    for (let i = 0; 2 * i < xy.length; i++) {
      const picked = dots.picked.has(i);
      if (dots.named[i] < 0 && !picked) continue;
      context.fillStyle = this.colours[dots.named[i]] ?? theme.ink.paper;
      context.lineWidth = picked ? 2.5 : 1.2;
      dot(i, small + (picked ? 2.2 : 1.2));
      context.fill();
      context.stroke();
    }
    this.ink = theme.ink;
    this.drawLasso();
  }

  private drawLasso(): void {
    const { element, still, lasso, ink } = this;
    const context = element.getContext("2d");
    if (!context || !ink) return;
    context.resetTransform();
    context.clearRect(0, 0, element.width, element.height);
    context.drawImage(still, 0, 0);
    if (lasso.length < 6) return;
    const ratio = devicePixelRatio || 1;
    context.scale(ratio, ratio);
    context.beginPath();
    for (let i = 0; i < lasso.length; i += 2) context.lineTo(lasso[i], lasso[i + 1]);
    context.strokeStyle = ink.paper;
    context.lineWidth = 4;
    context.stroke();
    context.strokeStyle = ink.text;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}
