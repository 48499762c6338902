/** A sheet of small pictures that are painted a few at each frame, so that a slider never waits. */

import { h } from "../dom";
import type { Painter, Sampled } from "../paint";

/** Milliseconds of a frame that are spent on pictures. */
const SPENT = 10;

export class Sheet {
  readonly element = h("div", {
    class: "hg-lab-sheet",
    role: "group",
    aria: { label: "Drawn samples" },
    data: { testid: "lab-sheet" },
  });
  private cells: Sampled[] = [];
  private at = 0;
  private left = 0;
  private frame = 0;
  private begun = 0;

  /** paint: decodes the i-th sample onto a canvas; pick: one was clicked. */
  constructor(
    readonly count: number,
    private readonly paint: (i: number, canvas: Sampled) => void,
    private readonly pick: (i: number) => void,
  ) {}

  build(painter: Painter): void {
    this.cells = Array.from({ length: this.count }, () => painter.canvas("hg-lab-picture"));
    this.element.replaceChildren(
      ...this.cells.map((canvas, i) =>
        h(
          "button",
          { type: "button", aria: { label: `Drawn sample ${i + 1}` }, on: { click: () => this.pick(i) } },
          canvas,
        ),
      ),
    );
  }

  /** All of them have changed. Those that are due go on where the last ones ended, or some would never change. */
  changed(begun = performance.now()): void {
    this.left = this.cells.length;
    this.begun ||= begun;
    this.frame ||= requestAnimationFrame(this.next);
  }

  private readonly next = (): void => {
    this.frame = 0;
    const end = performance.now() + SPENT;
    do {
      if (!this.left) break;
      this.paint(this.at, this.cells[this.at]);
      this.at = (this.at + 1) % this.cells.length;
      this.left--;
    } while (performance.now() < end);
    if (this.left) this.frame = requestAnimationFrame(this.next);
    else {
      performance.measure("lab:draw", { start: this.begun, end: performance.now() });
      this.begun = 0;
    }
  };

  mark(picked: readonly number[]): void {
    [...this.element.children].forEach((cell, i) => cell.setAttribute("aria-pressed", String(picked.includes(i))));
  }

  end(): void {
    cancelAnimationFrame(this.frame);
  }
}
