/** A slider for each dimension of the code, with the histogram of the codes behind it. */

import { cpuContext } from "../canvas";
import type { RunCard } from "../card";
import { causeOf, type Cause } from "../cause";
import { button, h, setText } from "../dom";
import { byUse, formatNumber, histogram } from "../maths";
import { term } from "../tips";

/** What code and latent space are, for a kind of sample. */
const codeOf = (kind: string): string =>
  `The few numbers that the encoder keeps of ${ONE[kind] ?? "a sample"}; the decoder ${kind === "image" ? "draws" : "works"} from them alone.`;
const ONE: Readonly<Record<string, string>> = { image: "an image", signal: "a signal", table: "a row" };
const BY_KL =
  "The number that tells most about a sample comes first. How much it tells is its KL divergence: 0 if it were the same noise for all samples.";
const BY_VARIANCE =
  "The number that differs most from sample to sample comes first: the one with the largest variance.";

/** A dimension that never varies still needs a slider with two ends. */
const endsOf = (low: number, high: number): [number, number] => (low < high ? [low, high] : [low - 0.5, low + 0.5]);

/** One dimension's slider, its histogram behind it. */
export class SliderRow {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  readonly plot = h("canvas", { class: "hg-histogram", width: 240, height: 26 });
  readonly strip = h("div", { class: "hg-strip", hidden: true });
  private readonly value = h("output", { class: "hg-number" });

  constructor(
    readonly dimension: number,
    public low: number,
    public high: number,
    private counts: Uint32Array,
    note: string,
    private readonly decimals: number,
    moved: (row: SliderRow, cause: Cause) => void,
    released: () => void,
    stripped: (row: SliderRow) => void,
    meaning: string,
  ) {
    const short = `z${dimension + 1}`;
    const name = meaning ? `${short} \u00b7 ${meaning}` : short;
    const [lo, hi] = endsOf(low, high);
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
      { class: ["hg-row", note && "hg-dead", meaning && "hg-meant"].filter(Boolean).join(" "), title: note },
      h("span", { class: "hg-name" }, name),
      h("div", { class: "hg-track" }, this.plot, this.input),
      this.value,
      more,
      this.strip,
    );
  }

  /** Other codes: another range, and another histogram. */
  renew(low: number, high: number, counts: Uint32Array): void {
    const [lo, hi] = endsOf(low, high);
    Object.assign(this.input, { min: String(lo), max: String(hi), step: String((hi - lo) / 400) });
    [this.low, this.high, this.counts] = [low, high, counts];
  }

  show(value: number): void {
    const next = String(value);
    if (this.input.value !== next) this.input.value = next;
    const beyond = value < Number(this.input.min) ? "low" : value > Number(this.input.max) ? "high" : "";
    if (this.element.dataset["beyond"] !== beyond) this.element.dataset["beyond"] = beyond;
    setText(this.value, formatNumber(value, this.decimals));
  }

  draw(colour: string): void {
    const context = cpuContext(this.plot);
    const { width, height } = this.plot;
    const peak = Math.max(1, ...this.counts);
    const w = width / this.counts.length;
    context.clearRect(0, 0, width, height);
    context.fillStyle = colour;
    this.counts.forEach((n, i) => {
      const length = n ? Math.max(1, (n / peak) * (height - 1)) : 0;
      context.fillRect(i * w, height - length, Math.max(1, w - 1), length);
    });
  }
}

export class Sliders {
  readonly element = h("section", { class: "hg-sliders", aria: { label: "Code" } });
  readonly rows: SliderRow[];

  constructor(
    card: RunCard,
    values: Float32Array,
    moved: (dimension: number, value: number, cause: Cause) => void,
    released: () => void,
    stripped: (row: SliderRow) => void,
    buttons: readonly HTMLElement[],
    meanings: readonly string[],
  ) {
    const { size, low, high, variance, kl, dead } = card.codes;
    const spread = Math.max(...high.map((v, d) => v - low[d]));
    const decimals = spread < 1 ? 3 : spread < 200 ? 2 : 1;
    this.rows = byUse(kl ?? variance).map((d) => {
      const note = dead[d]
        ? kl
          ? `unused: it says nothing about a sample (KL divergence ${formatNumber(kl[d], 3)})`
          : `unused: it is the same for all samples (variance ${variance[d].toPrecision(2)})`
        : "";
      return new SliderRow(
        d,
        low[d],
        high[d],
        histogram(values, size, d, low[d], high[d], 48),
        note,
        decimals,
        (row, cause) => moved(d, Number(row.input.value), cause),
        released,
        stripped,
        meanings[d] ?? "",
      );
    });
    const unused = dead.filter(Boolean).length;
    const sorted = size > 1 ? term("most informative first", kl ? BY_KL : BY_VARIANCE) : null;
    const gone = unused ? `${unused} of ${size} unused` : "";
    this.element.append(
      h(
        "h3",
        {},
        h("span", {}, term("Code", codeOf(card.dataset.kind)), size === 1 ? "" : ` of ${size} numbers`),
        h("small", {}, sorted, sorted && gone && " · ", gone),
      ),
      h("div", { class: "hg-rows" }, ...this.rows.map((row) => row.element)),
      h("div", { class: "hg-buttons" }, ...buttons),
    );
  }

  /** Other codes of the same size: ranges, histograms, and the order. */
  renew({ size, low, high, variance }: RunCard["codes"], values: Float32Array, colour: string): void {
    const order = byUse(variance);
    this.rows.sort((a, b) => order.indexOf(a.dimension) - order.indexOf(b.dimension));
    this.rows.forEach((row, i) => {
      const d = row.dimension,
        { parentElement: list } = row.element;
      row.renew(low[d], high[d], histogram(values, size, d, low[d], high[d], 48));
      row.draw(colour);
      if (list && list.children[i] !== row.element) list.insertBefore(row.element, list.children[i]);
    });
  }

  show(code: Float32Array): void {
    for (const row of this.rows) row.show(code[row.dimension]);
  }

  draw(colour: string): void {
    for (const row of this.rows) row.draw(colour);
  }
}
