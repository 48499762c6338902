/** The decoded sample, what is known about its place, and the real samples nearest to it. */

import type { Ink } from "../canvas";
import type { RunCard } from "../card";
import { h, setText } from "../dom";
import { decimalsFor, formatNumber, type Neighbour } from "../maths";
import type { Painter, Sampled } from "../paint";
import { term } from "../tips";
import { Bars, Lines, Values, type Behind, type Large } from "../plots";

/** How many of the nearest samples are shown. */
export const NEIGHBOURS = 5;
/** What stands on a canvas that shows a sample: the sample itself, what the decoder makes of its code, or nothing yet. */
export type Painted = "original" | "decoded" | "";
/** The share of the width that the names of columns take beside the neighbours' values; the style sheet has it, too. */
const NAMES = 0.26;

const NEAREST =
  "The real samples whose codes are nearest to this one. The number is how far: the length of the straight line between the codes.";
const FAR = "Far from real samples";

/** Says on a canvas what stands there: a picture by the decoder must not be taken for a real one. */
function mark(canvas: HTMLCanvasElement, painted: Painted): void {
  canvas.classList.toggle("hg-blank", !painted);
  canvas.classList.toggle("hg-stand-in", painted === "decoded");
}

export class SamplePanel {
  readonly element: HTMLElement;
  readonly canvas: Sampled;
  /** A signal or a row, drawn large; an image is its own picture. */
  private readonly large: Large | null;
  private readonly values: Values | null;
  private readonly key = h("span", { class: "hg-key", hidden: true, data: { testid: "behind" } });
  readonly near = h("div", { class: "hg-near", data: { testid: "neighbours" } });
  readonly standIn = h("small");
  private readonly code = h("div", { class: "hg-code" });
  private readonly badge = h("div", { class: "hg-badge", tabIndex: 0, data: { testid: "distance", tip: "" } });
  private readonly caption = h("span", { class: "hg-made", tabIndex: 0 });
  private readonly decimals: number;
  private readonly cells: {
    button: HTMLButtonElement;
    canvas: Sampled;
    name: HTMLElement;
    far: HTMLElement;
    index: number;
  }[] = [];

  constructor(
    private readonly painter: Painter,
    card: RunCard,
    pick: (index: number) => void,
    readonly pin: HTMLButtonElement,
  ) {
    const { kind, shape, columns } = card.dataset;
    const [width, height] = [shape[1] ?? 1, shape[0]];
    this.large = kind === "signal" ? new Lines(height, columns!) : kind === "table" ? new Bars(columns!) : null;
    this.values = kind === "table" ? new Values(columns!, NAMES) : null;
    if (this.values) this.values.head = this.near;
    this.canvas = this.large?.canvas ?? painter.canvas("hg-sample");
    this.canvas.dataset["testid"] = "decoded-sample";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Decoded sample");
    // Few pixels are shown as pixels; many are a picture.
    if (Math.max(width, height) <= 64 && card.dataset.kind === "image") this.canvas.classList.add("hg-pixels");
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
        h(
          "figure",
          {},
          this.large?.head ?? null,
          this.large?.element ?? this.canvas,
          h("figcaption", {}, this.caption, this.large && this.key),
        ),
      ),
      h(
        "div",
        { class: "hg-about" },
        h("div", { class: "hg-where" }, this.code, pin),
        this.badge,
        h("h3", {}, term("Nearest samples", NEAREST), this.standIn),
        this.near,
        this.values && this.values.element,
      ),
    );
    setText(this.caption, "decoded");
    // Distances are read against the usual one between neighbours: two digits of that.
    this.decimals = Math.min(5, Math.max(2, decimalsFor(card.codes.nearest_p99 || 1) + 1));
  }

  showCode(code: ArrayLike<number>, dimensions: readonly number[]): void {
    // A name and its number stay together where the line is broken.
    const parts = dimensions.map((d) => `z${d + 1}\u00a0${formatNumber(code[d])}`);
    setText(this.code, parts.join("   ") + (code.length > dimensions.length ? "  …" : ""));
  }

  /**
   * `limit` is how far apart real samples lie at most (99 of 100); null where that is unknown. `next` is how far the second
   * nearest sample is: where the nearest is shown itself, whether it lies among others is told by that.
   */
  showDistance(nearest: number | null, limit: number | null, next: number | null = null): boolean {
    const far = nearest !== null && limit !== null && nearest > limit;
    this.badge.classList.toggle("hg-far", far);
    const away = nearest === null ? "" : `The nearest real sample is ${formatNumber(nearest, this.decimals)} away.`;
    const usual = `From one real sample to the next it is rarely more than ${formatNumber(limit ?? 0, this.decimals)}`;
    const meaning = far ? "here the decoder has seen nothing like it." : "so this place is among them.";
    const alone = nearest === 0 && limit !== null && next !== null && next > limit;
    const lonely = `This is the place of one real sample, and the next one is ${formatNumber(next ?? 0, this.decimals)} away. ${usual}.`;
    const tip = alone ? lonely : away && (limit === null ? away : `${away} ${usual}: ${meaning}`);
    if (this.badge.dataset["tip"] !== tip) this.badge.dataset["tip"] = tip;
    const words = alone ? "On a single real sample, far from others" : far ? FAR : "Close to real samples";
    setText(this.badge, nearest === null ? "" : words);
    return far;
  }

  showNeighbours(
    nearest: readonly Neighbour[],
    name: (index: number) => string,
    title: (index: number) => string,
    colour: (index: number) => string,
    thumbnail: (index: number, canvas: HTMLCanvasElement) => Painted,
  ): void {
    this.cells.forEach((cell, i) => {
      const one = nearest[i];
      cell.button.hidden = !one;
      if (!one) return;
      setText(cell.far, formatNumber(one.distance, this.decimals));
      if (one.index === cell.index) return;
      cell.index = one.index;
      setText(cell.name, name(one.index));
      cell.button.style.setProperty("--class", colour(one.index));
      cell.button.title = title(one.index);
      mark(cell.canvas, thumbnail(one.index, cell.canvas));
    });
    this.showValues();
  }

  /** The values of the neighbours, where samples are rows: of those whose values are known. */
  showValues(): void {
    this.values?.show(
      this.cells
        .filter((cell) => !cell.button.hidden && cell.button.offsetParent !== null)
        .map((cell) => cell.canvas.sample),
    );
  }

  /** The real sample drawn behind what is decoded, and what it is called. */
  showBehind(index: number | null, behind: Behind | null, name: string): void {
    if (!this.large) return;
    this.large.compare(index, behind);
    if (behind) this.key.style.setProperty("--class", behind.colour);
    this.key.hidden = !behind;
    if (behind) setText(this.key, name);
  }

  /** The real samples have arrived. */
  setSamples(samples: Float32Array): void {
    this.large?.scaled?.(samples);
    this.values?.areOriginals();
  }

  setInk(ink: Ink): void {
    for (const list of [this.large, this.values]) {
      if (!list) continue;
      list.ink = ink;
      list.draw();
    }
  }

  /** Puts what is drawn into words for screen readers, once things have come to rest. */
  describe(): void {
    if (this.large) this.canvas.setAttribute("aria-label", `Decoded sample: ${this.large.words()}`);
  }

  end(): void {
    this.large?.end();
    this.values?.end();
  }

  /** Paints what arrived later (thumbnails, or decoded stand-ins). */
  repaint(thumbnail: (index: number, canvas: HTMLCanvasElement) => Painted): void {
    for (const cell of this.cells) if (cell.index >= 0) mark(cell.canvas, thumbnail(cell.index, cell.canvas));
    this.showValues();
  }

  /** Whether the decoder stands in for any of the neighbours. */
  get hasStandIns(): boolean {
    return this.cells.some(({ button, canvas }) => !button.hidden && canvas.classList.contains("hg-stand-in"));
  }

  /** Has all neighbours drawn anew by the next `showNeighbours`. */
  invalidate(): void {
    for (const cell of this.cells) cell.index = -1;
  }

  show(values: ArrayLike<number>): void {
    if (this.large) return this.large.show(values);
    this.canvas.sample = values;
    this.painter.paint(this.canvas, values);
  }

  /** `meaning` is told of it where it is pointed at or touched. */
  setCaption(caption: string, meaning: string): void {
    setText(this.caption, caption);
    if (this.caption.dataset["tip"] !== meaning) this.caption.dataset["tip"] = meaning;
  }
}
