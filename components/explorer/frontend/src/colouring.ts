/** The colours of the points, and the legend that explains them and hides classes. */

import { amount, classColours, cssColour, onPaper, type Rgb } from "./colours";
import type { RunData } from "./data";
import { h } from "./dom";
import type { PointMap } from "./map/map";
import { HIDDEN, UNKNOWN } from "./map/webgl";
import { countClasses, quantiles } from "./maths";
import type { State } from "./state";

/** Values that points are coloured by, and the range that the colours span. */
interface Amounts {
  readonly values: ArrayLike<number>;
  readonly low: number;
  readonly high: number;
  readonly title: string;
}

export class Colouring {
  readonly legend = h("div", { class: "hg-legend", data: { testid: "legend" } });
  private colours: Rgb[] = [];
  private grey: Rgb = [128, 128, 128];
  private classCounts: Uint32Array | null = null;
  /** Which code each point of the map is; null when point i is code i. */
  private index: Int32Array | null = null;

  /**
   * `layerOpacity` is how opaque points are above the layer that is shown; `showsSelection`, whether the tool in hand
   * shows what is selected.
   */
  constructor(
    private readonly data: RunData,
    private readonly state: State,
    private readonly map: PointMap,
    private readonly layerOpacity: () => number,
    private readonly showsSelection: () => boolean,
  ) {}

  setColours(grey: Rgb, paper: Rgb, palette: readonly string[] | undefined): void {
    this.grey = grey;
    const count = Math.min(HIDDEN, this.data.card.dataset.classes.length);
    this.colours = classColours(count, palette).map((colour) => onPaper(colour, paper));
  }

  /** Other points on the map: x, y, x, y, …, and which code each is (null: point i is code i). */
  showPoints(xy: Float32Array, index: Int32Array | null, glide = 0): void {
    this.index = index;
    this.map.setPoints(xy, new Uint8Array(xy.length / 2).fill(UNKNOWN), glide);
    this.recolour();
    this.highlight();
  }

  /** Has the selected samples stand out, where the tool in hand shows them or they were selected elsewhere. */
  highlight(): void {
    const { selection } = this.state.now;
    if (!selection || (selection.polygon && !this.showsSelection())) return this.map.highlight(null);
    const selected = new Uint8Array(this.data.card.codes.count);
    for (const i of selection.samples) selected[i] = 1;
    this.map.highlight(this.index ? Uint8Array.from(this.index, (i) => selected[i]) : selected);
  }

  /** What the colour of a point may stand for, the usual first. */
  choices(): (readonly [key: string, title: string])[] {
    const { classes, factors, label } = this.data.card.dataset;
    const plain = ["plain", "nothing"] as const,
      amounts = [
        ["error", "reconstruction error"] as const,
        ...factors.map((name, k) => [`factor:${k}`, name] as const),
      ];
    return classes.length ? [["class", label ?? "class"], ...amounts, plain] : [plain, ...amounts];
  }

  /** Values of the chosen colour for each code; null when colour stands for a class or for nothing. */
  private amounts(): Amounts | null {
    const { colour } = this.state.now;
    const { errors, factors, card } = this.data;
    const names = card.dataset.factors;
    const factor = Number(/^factor:(\d+)$/.exec(colour)?.[1] ?? NaN);
    let values: Float32Array | null = null;
    if (colour === "error") values = errors;
    else if (factor < names.length && factors) values = factors.filter((_, i) => i % names.length === factor);
    if (!values) return null;
    // A few extreme samples would leave everything else one colour.
    const step = Math.max(1, Math.floor(values.length / 50000));
    const some = values.filter((_, i) => i % step === 0);
    const [low, high] = quantiles(some, [0.01, 0.99]);
    return { values, low, high, title: colour === "error" ? "mean squared error" : names[factor] };
  }

  /** The values that points may be coloured by have arrived. */
  amountsArrived(): void {
    if (this.amounts()) this.recolour();
  }

  /** Colours all points anew. */
  recolour(): void {
    const { map } = this;
    const amounts = this.amounts();
    const table = new Uint8Array(4 * 256);
    const crowded = Math.max(0.35, Math.min(0.9, 1.15 - 0.13 * Math.log10(Math.max(1, map.count))));
    const opacity = this.state.now.points ? Math.round(255 * crowded * this.layerOpacity()) : 0;
    for (let row = 0; row < 256; row++) {
      const known = amounts ? row < UNKNOWN : row < this.colours.length;
      const colour = !known ? this.grey : amounts ? amount(row / 254) : this.colours[row];
      table.set([...colour, !amounts && row === HIDDEN ? 0 : opacity], 4 * row);
    }
    map.setRows(this.rows(amounts, map.count));
    map.setTable(table);
    this.drawLegend(amounts);
  }

  /** The row of the colour table for each point. */
  private rows(amounts: Amounts | null, count: number): Uint8Array {
    const rows = new Uint8Array(count).fill(UNKNOWN);
    const { index, data, colours } = this;
    const { colour, hidden } = this.state.now;
    if (!amounts && (colour !== "class" || !data.labels)) return rows;
    for (let p = 0; p < count; p++) {
      const i = index ? index[p] : p;
      if (amounts) {
        const share = (amounts.values[i] - amounts.low) / (amounts.high - amounts.low || 1);
        if (Number.isFinite(amounts.values[i])) rows[p] = Math.round(254 * Math.max(0, Math.min(1, share)));
      } else {
        const label = data.labelOf(i);
        if (hidden.has(label)) rows[p] = HIDDEN;
        else if (label >= 0) rows[p] = label % colours.length;
      }
    }
    return rows;
  }

  private drawLegend(amounts: Amounts | null): void {
    this.legend.replaceChildren();
    if (amounts) this.drawScale(amounts);
    else this.drawClasses();
  }

  private drawScale({ low, high, title }: Amounts): void {
    const stops = Array.from({ length: 10 }, (_, i) => cssColour(amount(i / 9))).join(", ");
    const bar = h("span", { class: "hg-scale" });
    bar.style.background = `linear-gradient(to right, ${stops})`;
    const number = (v: number) =>
      (Number.isInteger(v) ? String(v) : Number(v.toPrecision(3)).toString()).replace("-", "\u2212");
    this.legend.append(
      h("span", {}, title),
      h("span", { class: "hg-number" }, number(low)),
      bar,
      h("span", { class: "hg-number" }, number(high)),
    );
  }

  private drawClasses(): void {
    const { labels, card } = this.data;
    const { classes } = card.dataset;
    if (this.state.now.colour !== "class" || !labels || !classes.length) return;
    const counts = (this.classCounts ??= countClasses(labels, labels.keys(), classes.length));
    classes.concat("no label").forEach((name, c) => {
      if (!counts[c]) return;
      const label = c === classes.length ? -1 : c;
      const entry = h(
        "button",
        {
          type: "button",
          aria: { pressed: String(!this.state.now.hidden.has(label)) },
          title: `${counts[c].toLocaleString("en")} samples. Click to hide or show; double-click to see only these.`,
          on: { click: () => this.toggle(label), dblclick: () => this.showOnly(label) },
        },
        name,
      );
      entry.style.setProperty("--class", cssColour(this.colourOf(label)));
      this.legend.append(entry);
    });
  }

  private toggle(label: number): void {
    const hidden = new Set(this.state.now.hidden);
    if (!hidden.delete(label)) hidden.add(label);
    this.state.set("hidden", hidden);
  }

  /** Hides all other classes; where they are hidden already, shows them. */
  private showOnly(label: number): void {
    const all = [-1, ...this.data.card.dataset.classes.keys()];
    const alone = all.every((c) => (c === label) !== this.state.now.hidden.has(c));
    this.state.set("hidden", new Set(alone ? [] : all.filter((c) => c !== label)));
  }

  /** Recolours after classes were hidden or shown; the focus stays on the legend's entry. */
  hiddenChanged(): void {
    const { activeElement } = this.legend.getRootNode() as Document | ShadowRoot;
    const focused = [...this.legend.children].findIndex((entry) => entry === activeElement);
    this.recolour();
    (this.legend.children[focused] as HTMLElement | undefined)?.focus();
  }

  /** Whether any sample is hidden now. */
  get hiding(): boolean {
    const { hidden, colour } = this.state.now;
    return hidden.size > 0 && colour === "class" && this.data.labels !== null;
  }

  readonly isVisible = (index: number): boolean => !this.hiding || !this.state.now.hidden.has(this.data.labelOf(index));

  /** The colour of a class, grey for none; past the table's end colours start again. */
  colourOf(label: number): Rgb {
    return (label < 0 ? null : this.colours[label % this.colours.length]) ?? this.grey;
  }

  /** The colour of a sample's class, as CSS writes it. */
  readonly cssOf = (index: number): string => cssColour(this.colourOf(this.data.labelOf(index)));
}
