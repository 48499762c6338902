/** The panels beside the map: the decoded sample, its neighbours, and the sliders. */

import { button, h, text } from "./dom";
import { flatContext } from "./map";
import { byUse, decimalsFor, histogram, say, type Neighbour } from "./maths";
import type { Painter, Sampled } from "./paint";
import { Bars, Lines, Values, type Behind, type Ink, type Large } from "./plots";
import type { RunCard } from "./run";

export const NEIGHBOURS = 5;
/** The share of the width that the names of columns take beside the neighbours' values; the style sheet has it, too. */
const NAMES = 0.26;

export interface Cause {
  readonly begun: number;
  readonly stamp: number;
}
export const causeOf = (event: Event): Cause => ({ begun: performance.now(), stamp: event.timeStamp });

/** One dimension's slider, its histogram behind it. */
class Row {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly plot = h("canvas", { class: "hg-histogram", width: 240, height: 26 });
  readonly strip = h("div", { class: "hg-strip", hidden: true });
  private readonly value = h("output", { class: "hg-number" });

  constructor(
    readonly dimension: number,
    readonly low: number,
    readonly high: number,
    private readonly counts: Uint32Array,
    note: string,
    private readonly decimals: number,
    moved: (row: Row, cause: Cause) => void,
    released: () => void,
    stripped: (row: Row) => void,
  ) {
    const name = `z${dimension + 1}`;
    // A dimension that never varies still needs a slider with two ends.
    const [lo, hi] = low < high ? [low, high] : [low - 0.5, low + 0.5];
    this.input = h("input", {
      type: "range",
      min: String(lo),
      max: String(hi),
      step: String((hi - lo) / 400),
      data: { testid: "code-slider", dim: String(dimension + 1) },
      aria: { label: note ? `${name}, ${note}` : name },
      on: { input: (event: Event) => moved(this, causeOf(event)), change: released },
    });
    const more = button(`Show what ${name} does, from end to end`, "strip", () => stripped(this), "traversal");
    more.setAttribute("aria-expanded", "false");
    this.element = h(
      "div",
      { class: note ? "hg-row hg-dead" : "hg-row", title: note },
      h("span", { class: "hg-name" }, name),
      h("div", { class: "hg-track" }, this.plot, this.input),
      this.value,
      more,
      this.strip,
    );
  }

  show(value: number): void {
    const shown = String(value);
    if (this.input.value !== shown) this.input.value = shown;
    text(this.value, say(value, this.decimals));
  }

  draw(colour: string): void {
    const context = flatContext(this.plot);
    const { width, height } = this.plot;
    const peak = Math.max(1, ...this.counts);
    const w = width / this.counts.length;
    context.clearRect(0, 0, width, height);
    context.fillStyle = colour;
    this.counts.forEach((n, i) => {
      const tall = n ? Math.max(1, (n / peak) * (height - 1)) : 0;
      context.fillRect(i * w, height - tall, Math.max(1, w - 1), tall);
    });
  }
}

export class Sliders {
  readonly element = h("section", { class: "hg-sliders", aria: { label: "Code" } });
  readonly rows: Row[];

  constructor(
    card: RunCard,
    values: Float32Array,
    moved: (dimension: number, value: number, cause: Cause) => void,
    released: () => void,
    stripped: (row: Row) => void,
    ways: readonly HTMLElement[],
  ) {
    const { size, low, high, variance, kl, dead } = card.codes;
    const spread = Math.max(...high.map((v, d) => v - low[d]));
    const decimals = spread < 1 ? 3 : spread < 200 ? 2 : 1;
    this.rows = byUse(kl ?? variance).map((d) => {
      const note = dead[d]
        ? kl
          ? `unused: its KL is ${say(kl[d], 3)}`
          : `unused: its variance is ${variance[d].toPrecision(2)}`
        : "";
      return new Row(
        d,
        low[d],
        high[d],
        histogram(values, size, d, low[d], high[d], 48),
        note,
        decimals,
        (row, cause) => moved(d, Number(row.input.value), cause),
        released,
        stripped,
      );
    });
    const unused = dead.filter(Boolean).length;
    const sorted = size > 1 ? `most used first, by ${kl ? "KL" : "variance"}` : "";
    const gone = unused ? `${unused} of ${size} unused` : "";
    this.element.append(
      h(
        "h3",
        {},
        size === 1 ? "Code" : `Code of ${size} numbers`,
        h("small", {}, [sorted, gone].filter(Boolean).join(" · ")),
      ),
      h("div", { class: "hg-buttons" }, ...ways),
      h("div", { class: "hg-rows" }, ...this.rows.map((row) => row.element)),
    );
  }

  show(code: Float32Array): void {
    for (const row of this.rows) row.show(code[row.dimension]);
  }

  draw(colour: string): void {
    for (const row of this.rows) row.draw(colour);
  }
}

/** The decoded sample, what is known about its place, and the real samples nearest to it. */
export class Shown {
  readonly element: HTMLElement;
  readonly canvas: Sampled;
  /** A signal or a row, drawn large; an image is its own picture. */
  private readonly large: Large | null;
  private readonly values: Values | null;
  private readonly key = h("span", { class: "hg-key", hidden: true, data: { testid: "behind" } });
  readonly original: HTMLElement;
  readonly near = h("div", { class: "hg-near", data: { testid: "neighbours" } });
  readonly standIn = h("small");
  private readonly code = h("div", { class: "hg-code" });
  private readonly badge = h("div", { class: "hg-badge", data: { testid: "distance" } });
  private readonly caption = h("span", {});
  private readonly decimals: number;
  private readonly cells: {
    button: HTMLButtonElement;
    canvas: Sampled;
    name: HTMLElement;
    far: HTMLElement;
    index: number;
  }[] = [];
  private readonly originalCanvas: HTMLCanvasElement;
  private readonly originalNote = h("figcaption", {}, "original");

  constructor(
    private readonly painter: Painter,
    card: RunCard,
    pick: (index: number) => void,
    readonly unpin: HTMLButtonElement,
  ) {
    const { kind, shape, columns } = card.dataset;
    const [w, tall] = [shape[1] ?? 1, shape[0]];
    this.large = kind === "signal" ? new Lines(tall, columns!) : kind === "table" ? new Bars(columns!) : null;
    this.values = kind === "table" ? new Values(columns!, NAMES) : null;
    this.canvas = this.large?.canvas ?? painter.canvas("hg-sample");
    this.canvas.dataset["testid"] = "decoded-sample";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Decoded sample");
    // Few pixels are shown as pixels; many are a picture.
    if (Math.max(w, tall) <= 64 && card.dataset.kind === "image") this.canvas.classList.add("hg-pixels");
    this.originalCanvas = painter.canvas("hg-sample hg-pixels");
    this.original = h(
      "figure",
      { class: "hg-original", hidden: true, data: { testid: "original" } },
      this.originalCanvas,
      this.originalNote,
    );
    for (let i = 0; i < Math.min(NEIGHBOURS, card.codes.count); i++) {
      const canvas = painter.canvas("hg-thumb");
      const name = h("span", { class: "hg-class" }),
        far = h("span", { class: "hg-number" });
      const cell = { button: h("button", { type: "button" }, canvas, name, far), canvas, name, far, index: -1 };
      cell.button.addEventListener("click", () => cell.index >= 0 && pick(cell.index));
      this.cells.push(cell);
      this.near.append(cell.button);
    }
    this.element = h(
      "section",
      { class: "hg-shown", aria: { label: "Decoded sample" } },
      h(
        "div",
        { class: "hg-pictures" },
        h("figure", {}, this.large?.element ?? this.canvas, h("figcaption", {}, this.caption, this.large && this.key)),
        this.original,
      ),
      h(
        "div",
        { class: "hg-about" },
        h("div", { class: "hg-where" }, this.code, unpin),
        this.badge,
        h("h3", {}, "Nearest samples", this.standIn),
        this.near,
        this.values && this.values.element,
      ),
    );
    text(this.caption, "decoded");
    // Distances are read against the usual one between neighbours: two digits of that.
    this.decimals = Math.min(5, Math.max(2, decimalsFor(card.codes.nearest_p99 || 1) + 1));
  }

  place(code: ArrayLike<number>, dimensions: readonly number[]): void {
    const parts = dimensions.map((d) => `z${d + 1} ${say(code[d])}`);
    text(this.code, parts.join("   ") + (code.length > dimensions.length ? "  …" : ""));
  }

  /** `limit` is how far apart real samples lie at most (99 of 100); null where that is unknown. */
  distance(nearest: number | null, limit: number | null): boolean {
    const far = nearest !== null && limit !== null && nearest > limit;
    this.badge.classList.toggle("hg-far", far);
    this.badge.title = limit === null ? "" : `99 of 100 real samples have another within ${say(limit, this.decimals)}.`;
    const away = nearest === null ? "" : `the nearest sample is ${say(nearest, this.decimals)} away`;
    text(this.badge, nearest === null ? "" : far ? `Far from the data: ${away}` : `Near the data: ${away}`);
    return far;
  }

  neighbours(
    found: readonly Neighbour[],
    name: (index: number) => string,
    title: (index: number) => string,
    colour: (index: number) => string,
    thumbnail: (index: number, canvas: HTMLCanvasElement) => boolean,
  ): void {
    this.cells.forEach((cell, i) => {
      const one = found[i];
      cell.button.hidden = !one;
      if (!one) return;
      text(cell.far, say(one.distance, this.decimals));
      if (one.index === cell.index) return;
      cell.index = one.index;
      text(cell.name, name(one.index));
      cell.button.style.setProperty("--class", colour(one.index));
      cell.button.title = title(one.index);
      cell.canvas.classList.toggle("hg-blank", !thumbnail(one.index, cell.canvas));
    });
    this.list();
  }

  /** The values of the neighbours, where samples are rows: of those whose values are known. */
  list(): void {
    this.values?.show(
      this.cells
        .filter((cell) => !cell.button.hidden && cell.button.offsetParent !== null)
        .map((cell) => cell.canvas.sample),
    );
  }

  /** The real sample to be seen behind what is decoded, and what it is called. */
  compare(index: number | null, behind: Behind | null, name: string): void {
    if (!this.large) return;
    this.large.compare(index, behind);
    if (behind) this.key.style.setProperty("--class", behind.colour);
    this.key.hidden = !behind;
    if (behind) text(this.key, name);
  }

  /** The real samples have arrived. */
  scaled(samples: Float32Array): void {
    this.large?.scaled?.(samples);
  }

  inked(ink: Ink): void {
    for (const list of [this.large, this.values]) {
      if (!list) continue;
      list.ink = ink;
      list.draw();
    }
  }

  /** Told when things have come to rest: what is drawn is words for those who listen. */
  described(): void {
    if (this.large) this.canvas.setAttribute("aria-label", `Decoded sample: ${this.large.words()}`);
  }

  end(): void {
    this.large?.end();
    this.values?.end();
  }

  /** Paints what arrived later (thumbnails, or decoded stand-ins). */
  refill(thumbnail: (index: number, canvas: HTMLCanvasElement) => boolean): void {
    for (const cell of this.cells)
      if (cell.index >= 0 && thumbnail(cell.index, cell.canvas)) cell.canvas.classList.remove("hg-blank");
    this.list();
  }

  forget(): void {
    for (const cell of this.cells) cell.index = -1;
  }

  /** The original beside what is decoded from its code, when the code is exactly that of a sample. */
  beside(paint: ((canvas: HTMLCanvasElement) => void) | null, note: string): void {
    this.original.hidden = !paint;
    paint?.(this.originalCanvas);
    text(this.originalNote, note);
  }

  decoded(values: ArrayLike<number>): void {
    if (this.large) return this.large.show(values);
    this.canvas.sample = values;
    this.painter.paint(this.canvas, values);
  }

  describe(caption: string): void {
    text(this.caption, caption);
  }
}

export type { Row };
