/** The way of one sample, drawn small: picture, encoder, the numbers of its code, decoder, picture. */

import { cpuContext, type Ink } from "../canvas";
import type { RunCard } from "../card";
import { h, setText } from "../dom";
import { byUse, formatNumber } from "../maths";
import type { Painter, Sampled } from "../paint";
import { term } from "../tips";

/** How many of the code's numbers are drawn at most; of so few each with its name and its value. */
const NUMBERS = 12,
  FEW = 4;
/** The size of their picture in its own pixels, and how many of those are one of the page where it is smallest. */
const WIDTH = 288,
  HEIGHT = 132,
  SCALE = 3;
/** Where the bars of few numbers lie, beside their names and their values. */
const [FROM, TO] = [54, 168];

const MORE = "How this network is built: its layers, its formula, and a program that makes it";
const ENCODER = "The encoder: the half of the network that takes a sample in and keeps only a few numbers of it.";
const DECODER = "The decoder: the other half of the network. From the few numbers alone it makes a whole sample again.";
const NUMBER = "All that is left of the sample between encoder and decoder: its code, a place on the map.";

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
    const part = (name: string, drawn: HTMLElement, word: string, explanation: string) =>
      h("span", { class: "hg-net", data: { part: name } }, drawn, h("small", {}, term(word, explanation)));
    this.element = h(
      "div",
      {
        class: "hg-way",
        data: { testid: "way", lit: "" },
        on: { click: (event) => (event.target as Element).closest("[data-tip], button") ?? open() },
      },
      this.original,
      part("encoder", h("i", {}), "encoder", ENCODER),
      part("code", this.numbers, size === 1 ? "1 number" : `${size} numbers`, NUMBER),
      part("decoder", h("i", {}), "decoder", DECODER),
      h("figure", { data: { part: "output" } }, this.output, h("figcaption", {}, "decoded")),
      h(
        "button",
        {
          type: "button",
          class: "hg-more",
          title: MORE,
          aria: { label: MORE },
          data: { testid: "way-open" },
          on: { click: open },
        },
        "\u2026",
      ),
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
    if (this.note.title !== note) this.note.title = note; // there is little space for it
  }

  /** The numbers of the code as bars from the middle of their range; few of them with their names and values. */
  showCode(code: ArrayLike<number>): void {
    if (!this.ink) return;
    const context = cpuContext(this.numbers);
    const { low, high } = this.card.codes;
    const count = this.dimensions.length,
      few = count <= FEW;
    const [from, to] = few ? [FROM, TO] : [0, WIDTH];
    const middle = (from + to) / 2,
      row = HEIGHT / Math.max(2, count);
    const top = count < 2 ? row / 2 : 0;
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.font = `600 ${10 * SCALE}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    for (let i = 0; i < count; i++) {
      const d = this.dimensions[i];
      const range = (high[d] - low[d]) / 2 || 1;
      const share = Math.max(-1, Math.min(1, (code[d] - low[d] - range) / range));
      const y = top + i * row,
        length = (share * (to - from)) / 2;
      context.fillStyle = this.ink.line;
      context.fillRect(from, y + row * 0.2, to - from, row * 0.6);
      context.fillStyle = this.ink.accent;
      context.fillRect(middle + Math.min(0, length), y + row * 0.12, Math.max(SCALE, Math.abs(length)), row * 0.76);
      if (!few) continue;
      context.fillStyle = this.ink.text;
      context.textAlign = "left";
      context.fillText(`z${d + 1}`, 0, y + row / 2, FROM - 6);
      context.textAlign = "right";
      context.fillText(formatNumber(code[d]), WIDTH, y + row / 2, WIDTH - TO - 6);
    }
    context.fillStyle = this.ink.faint;
    context.fillRect(middle - 1, top, 2, row * count);
  }

  setInk(ink: Ink): void {
    this.ink = ink;
  }
}
