/** A shape drawn around points selects them: their classes, and some of them beside what is decoded from their codes. */

import type { Context } from "../context";
import { h, setText } from "../dom";
import { countClasses, fromPixel, pointsInside, toPixel, type Point } from "../maths";
import { Tool } from "./tool";

export class Lasso extends Tool {
  readonly id = "lasso";
  readonly title = "Lasso";
  readonly help = "Draw around points to select them";
  override readonly panel: HTMLElement;
  override readonly hasRings = false;
  override readonly showsSelection = true;
  private readonly summary = h("p", { class: "hg-sum", data: { testid: "lasso-summary" } });
  private readonly bars = h("div", { class: "hg-bars", data: { testid: "lasso-classes" } });
  private readonly gallery = h("div", { class: "hg-gallery", data: { testid: "lasso-gallery" } });
  private readonly more = h(
    "button",
    { type: "button", hidden: true, on: { click: () => this.fill(this.page + 1) } },
    "Others",
  );
  private readonly closing = h(
    "button",
    { type: "button", hidden: true, data: { testid: "lasso-close" }, on: { click: () => this.finish() } },
    "Close the shape",
  );
  private readonly clearing = h(
    "button",
    { type: "button", hidden: true, data: { testid: "lasso-clear" }, on: { click: () => this.clear(true) } },
    "Clear",
  );
  /** Corners in coordinates of the plane, so that the shape stays on its points when the map moves. */
  private polygon: number[] = [];
  private closed = false;
  /** The samples inside, by their position among the codes. */
  private chosen: Int32Array = new Int32Array(0);
  private page = 0;
  private lastPixel: Point = [0, 0];

  constructor(context: Context) {
    super(context);
    this.panel = h(
      "section",
      { aria: { label: "Lasso" } },
      h("h3", {}, "Selection"),
      this.summary,
      this.bars,
      this.gallery,
      h("div", { class: "hg-buttons" }, this.closing, this.more, this.clearing),
    );
    this.clear(false);
    // Samples selected elsewhere take the place of the shape that is here.
    context.state.subscribe(["selection"], () => {
      if (context.state.now.selection?.samples !== this.chosen && this.closed) this.empty();
    });
  }

  down(at: Point): void {
    this.clear(false);
    this.add(at);
  }

  drag(at: Point): void {
    // Corners nearer than three pixels add work and no shape.
    if (Math.hypot(at[0] - this.lastPixel[0], at[1] - this.lastPixel[1]) >= 3) this.add(at);
  }

  up(): void {
    if (this.polygon.length >= 6) this.finish();
    else this.clear(true);
  }

  override cancel(): void {
    this.clear(false);
  }

  override originalsArrived(): void {
    if (this.closed) this.fill(this.page);
  }

  override key(key: string): boolean {
    const { marker } = this.context.places;
    if (key === "Enter" && marker) {
      if (this.closed) this.clear(false);
      this.add(marker);
      return true;
    }
    if (key === "Backspace" && !this.closed) {
      this.polygon.length = Math.max(0, this.polygon.length - 2);
      this.context.map.redraw("overlay");
      return true;
    }
    return false;
  }

  private add(at: Point): void {
    this.lastPixel = at;
    this.polygon.push(...fromPixel(this.context.map.camera, at[0], at[1]));
    this.closing.hidden = this.polygon.length < 6;
    this.context.map.redraw("overlay");
  }

  private finish(): void {
    const { context } = this;
    const { plane } = context.places;
    this.closed = true;
    this.closing.hidden = true;
    // Rounded before it is used: Python counts with the very corners that it is sent.
    this.polygon = this.polygon.map((v) => Number(v.toPrecision(7)));
    const sample = (p: number) => (plane.index ? plane.index[p] : p);
    const points = pointsInside(plane.xy, this.polygon, (p) => context.colouring.isVisible(sample(p)));
    this.chosen = points.map(sample);
    context.state.set("selection", { samples: this.chosen, polygon: this.polygon });
    this.summarise();
    this.fill(0);
    context.map.redraw("overlay");
    context.reporter.selection();
    context.announcer.say(() => `${this.chosen.length.toLocaleString("en")} samples selected`);
  }

  private summarise(): void {
    const { context } = this;
    const { classes } = context.card.dataset;
    const n = this.chosen.length;
    setText(
      this.summary,
      n
        ? `${n.toLocaleString("en")} of ${(context.places.plane.xy.length / 2).toLocaleString("en")} samples. ${context.about.lists ?? ""}`.trim()
        : "No sample is inside this shape.",
    );
    const counts = classes.length
      ? [...countClasses(context.data.labels, this.chosen, classes.length)]
          .map((count, c) => ({ count, c }))
          .filter((e) => e.count)
          .sort((a, b) => b.count - a.count)
      : [];
    const largest = counts[0]?.count ?? 1;
    this.bars.replaceChildren(
      ...counts.slice(0, 12).map(({ count, c }) => {
        const bar = h("span", { class: "hg-bar" }, h("i", {}));
        bar.style.setProperty("--share", String(count / largest));
        bar.style.setProperty(
          "--class",
          c < classes.length ? `rgb(${context.colouring.colourOf(c).join(" ")})` : "gray",
        );
        return h(
          "div",
          {},
          h("span", { class: "hg-class" }, classes[c] ?? "no label"),
          bar,
          h("span", { class: "hg-number" }, count.toLocaleString("en")),
        );
      }),
    );
    this.clearing.hidden = false;
    this.more.hidden = n <= 8;
  }

  /** Eight of the chosen, spread over them: the original above what is decoded from its code. */
  private fill(page: number): void {
    this.page = page;
    const { context } = this;
    const n = this.chosen.length,
      show = Math.min(8, n);
    const cells = Array.from({ length: show }, (_, k) => {
      const index = this.chosen[Math.floor(((k + ((this.page * 0.618) % 1)) * n) / show) % n];
      const original = context.painter.canvas("hg-thumb"),
        decoded = context.painter.canvas("hg-thumb");
      const at = context.data.original(index);
      if (at) context.painter.paint(original, at);
      context.decoding.paint(context.data.codeOf(index), decoded);
      return h(
        "button",
        {
          type: "button",
          title: context.data.describe("Go to this sample", index),
          on: { click: () => context.goTo(index) },
        },
        at ? original : null,
        decoded,
        h("span", { class: "hg-class" }, context.data.columns.nameOf(index) || context.data.className(index)),
      );
    });
    this.gallery.replaceChildren(...cells);
  }

  private clear(report: boolean): void {
    const had = this.closed;
    this.empty();
    this.context.state.set("selection", null);
    if (report && had) this.context.reporter.selection();
  }

  private empty(): void {
    this.polygon = [];
    this.closed = false;
    this.chosen = new Int32Array(0);
    this.bars.replaceChildren();
    this.gallery.replaceChildren();
    for (const element of [this.more, this.closing, this.clearing]) element.hidden = true;
    setText(this.summary, "Draw around points on the map. With the keyboard: arrows move, Enter sets a corner.");
    this.context.map.redraw("overlay");
  }

  override planeChanged(): void {
    this.clear(true);
  }

  override get draws(): boolean {
    return this.polygon.length > 0;
  }

  override draw(pixels: CanvasRenderingContext2D): void {
    if (this.polygon.length < 2) return;
    const { camera, ink } = this.context.map;
    pixels.beginPath();
    for (let i = 0; i < this.polygon.length; i += 2)
      pixels.lineTo(...toPixel(camera, this.polygon[i], this.polygon[i + 1]));
    if (this.closed) pixels.closePath();
    pixels.strokeStyle = ink.paper;
    pixels.lineWidth = 4;
    pixels.stroke();
    pixels.strokeStyle = ink.text;
    pixels.lineWidth = 1.5;
    pixels.setLineDash(this.closed ? [] : [5, 4]);
    pixels.stroke();
    pixels.setLineDash([]);
  }
}
