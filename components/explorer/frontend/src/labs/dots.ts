/** A small map of dots: where a method puts samples. The nearest dot is picked by a pointer; some of the dots are marked. */

import { cpuContext, type Ink } from "../canvas";
import { h } from "../dom";

export type Place = readonly [x: number, y: number];

const SIDE = 560,
  EDGE = 22,
  RADIUS = 6;

export class Dots {
  readonly canvas = h("canvas", { class: "hg-lab-dots", width: SIDE, height: SIDE });
  /** The dots without marks: they are painted once. */
  private readonly ground = h("canvas", { width: SIDE, height: SIDE });
  private ink: Ink | null = null;

  private colours: readonly string[] = [];
  /** The dots in pixels. */
  private readonly pixels: readonly Place[];

  /** Places in [0, 1]. `picked` is called with the dot that is pointed at. */
  constructor(places: readonly Place[], picked: (index: number) => void) {
    this.pixels = places.map(([x, y]) => [EDGE + x * (SIDE - 2 * EDGE), SIDE - EDGE - y * (SIDE - 2 * EDGE)]);
    const pick = (event: PointerEvent) => {
      const box = this.canvas.getBoundingClientRect();
      picked(this.at((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
    };
    this.canvas.addEventListener("pointermove", pick);
    this.canvas.addEventListener("pointerdown", pick);
  }

  /** The dot nearest to a place on the canvas, in shares of its sides. */
  private at(x: number, y: number): number {
    let best = 0,
      least = Infinity;
    for (let i = 0; i < this.pixels.length; i++) {
      const far = (this.pixels[i][0] - x * SIDE) ** 2 + (this.pixels[i][1] - y * SIDE) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }

  /** Paints the dots in these colours, as CSS writes them; marks are in those of the page. */
  paint(colours: readonly string[], ink: Ink): void {
    [this.colours, this.ink] = [colours, ink];
    const context = cpuContext(this.ground);
    context.clearRect(0, 0, SIDE, SIDE);
    context.globalAlpha = 0.85;
    this.pixels.forEach(([x, y], i) => {
      context.fillStyle = this.colours[i];
      context.beginPath();
      context.arc(x, y, RADIUS, 0, 7);
      context.fill();
    });
  }

  /** Marks a dot, and draws lines from it to those most like it. */
  mark(index: number, like: readonly number[]): void {
    const { ink } = this;
    if (!ink) return;
    const context = cpuContext(this.canvas);
    context.clearRect(0, 0, SIDE, SIDE);
    context.drawImage(this.ground, 0, 0);
    const from = this.pixels[index];
    for (const [colour, width] of [
      [ink.paper, 7],
      [ink.text, 3],
    ] as const) {
      [context.strokeStyle, context.lineWidth] = [colour, width];
      for (const other of like) {
        context.beginPath();
        context.moveTo(...from);
        context.lineTo(...this.pixels[other]);
        context.stroke();
      }
    }
    for (const other of like) this.ring(context, other, RADIUS + 2, ink);
    this.ring(context, index, RADIUS + 8, ink);
  }

  private ring(context: CanvasRenderingContext2D, index: number, radius: number, ink: Ink): void {
    context.beginPath();
    context.arc(...this.pixels[index], radius, 0, 7);
    context.fillStyle = this.colours[index];
    context.fill();
    for (const [colour, width] of [
      [ink.paper, 7],
      [ink.text, 3.5],
    ] as const) {
      [context.strokeStyle, context.lineWidth] = [colour, width];
      context.stroke();
    }
  }
}

/** For each place the `count` others that lie nearest to it, nearest first; of equally near ones those that come first. */
export function nearest(places: readonly Place[], count: number): number[][] {
  return places.map(([x, y], i) =>
    places
      .map((place, j): [number, number] => [j, (place[0] - x) ** 2 + (place[1] - y) ** 2])
      .filter(([j]) => j !== i)
      .sort((a, b) => a[1] - b[1])
      .slice(0, count)
      .map(([j]) => j),
  );
}
