/** The way of one sample, drawn small: picture, encoder, the numbers of its code, decoder, picture. */

import { cpuContext, type Ink } from "../canvas";
import type { RunCard } from "../card";
import { h, setText } from "../dom";
import { byUse, formatNumber } from "../maths";
import type { Painter, Sampled } from "../paint";

/** How many of the code's numbers are drawn at most, and the size of their picture. */
const NUMBERS = 12,
  WIDTH = 132,
  HEIGHT = 60;

export class Way {
  readonly element: HTMLElement;
  /** The original that goes in: of the sample that is picked, else of the nearest one. */
  readonly original: HTMLElement;
  readonly input: Sampled;
  private readonly output: Sampled;
  private readonly note = h("figcaption", {}, "original");
  private readonly numbers = h("canvas", { width: WIDTH, height: HEIGHT, class: "hg-numbers" });
  private readonly dimensions: readonly number[];
  private ink: Ink | null = null;

  constructor(
    private readonly painter: Painter,
    private readonly card: RunCard,
    open: () => void,
  ) {
    const { kl, variance, size } = card.codes;
    this.dimensions = byUse(kl ?? variance).slice(0, NUMBERS);
    this.input = painter.canvas("hg-sample hg-pixels");
    this.output = painter.canvas("hg-sample hg-pixels");
    this.original = h("figure", { class: "hg-original", data: { testid: "original" } }, this.input, this.note);
    const box = (part: string, word: string) =>
      h("span", { class: `hg-net hg-${part}`, data: { part } }, h("i", {}), h("small", {}, word));
    this.element = h(
      "button",
      {
        type: "button",
        class: "hg-way",
        title: "How this network is built: its layers, its formula, and a program that makes it",
        data: { testid: "way", lit: "" },
        on: { click: open },
      },
      this.original,
      box("encoder", "encoder"),
      h(
        "span",
        { class: "hg-net", data: { part: "code" } },
        this.numbers,
        h("small", {}, size === 1 ? "1 number" : `${size} numbers`),
      ),
      box("decoder", "decoder"),
      h("figure", { data: { part: "output" } }, this.output, h("figcaption", {}, "decoded")),
      h("span", { class: "hg-more", aria: { hidden: "true" } }, "\u2026"),
    );
  }

  /** Lights up what the hand has just changed: the code and what follows it, or the whole way. */
  light(what: "" | "code" | "all"): void {
    if (this.element.dataset["lit"] !== what) this.element.dataset["lit"] = what;
  }

  /** What the decoder made. */
  show(values: ArrayLike<number>): void {
    this.painter.paint(this.output, values);
  }

  showNote(note: string): void {
    setText(this.note, note);
  }

  /** The numbers of the code as bars from the middle of their range; few of them with their values. */
  showCode(code: ArrayLike<number>): void {
    if (!this.ink) return;
    const context = cpuContext(this.numbers);
    const { low, high } = this.card.codes;
    const count = this.dimensions.length;
    const row = HEIGHT / Math.max(2, count);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = this.ink.line;
    context.fillRect(WIDTH / 2, 0, 1, HEIGHT);
    context.font = "600 13px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let i = 0; i < count; i++) {
      const d = this.dimensions[i];
      const range = (high[d] - low[d]) / 2 || 1;
      const share = Math.max(-1, Math.min(1, (code[d] - low[d] - range) / range));
      const y = (count < 2 ? row / 2 : 0) + i * row;
      context.fillStyle = this.ink.accent;
      context.globalAlpha = count <= 4 ? 0.45 : 0.85;
      context.fillRect(WIDTH / 2 + Math.min(0, (share * WIDTH) / 2), y + 1, Math.abs((share * WIDTH) / 2), row - 2);
      context.globalAlpha = 1;
      if (count > 4) continue;
      context.fillStyle = this.ink.text;
      context.fillText(`z${d + 1}  ${formatNumber(code[d])}`, 6, y + row / 2);
    }
  }

  setInk(ink: Ink): void {
    this.ink = ink;
  }
}
