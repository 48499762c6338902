/** The colours of the points, and the legend that explains them and hides classes. */

import { amount, classColours, cssColour, luminance, onPaper, type Rgb } from "./colours";
import { scaleFormat } from "./columns";
import type { RunData } from "./data";
import { h } from "./dom";
import type { PointMap } from "./map/map";
import { ABOVE, BELOW, HIDDEN, UNKNOWN, type Rings } from "./map/webgl";
import { countClasses, quantiles } from "./maths";
import type { State } from "./state";

/** Values that points are coloured by, and the range that the colours span. */
interface Amounts {
  readonly values: ArrayLike<number>;
  readonly low: number;
  readonly high: number;
  readonly title: string;
  /** "number" or "time". */
  readonly kind: string;
  /** Whether any value lies below the range, above it. */
  readonly cut: readonly [boolean, boolean];
  /** Whether any lies far beyond it, and whether any is missing. */
  readonly beyond: boolean;
  readonly missing: boolean;
  /** Whether some values are not on this page. */
  readonly away: boolean;
}

/** How much further than a scale reaches a value must lie to get a ring, as a share of the scale. */
const FAR = 0.25;

/** So many values of a category still have colours that are told apart. */
const MOST_WORDS = 14;

/** Samples whose values did not travel with a page. */
const AWAY = "not on this page";

/** A category that points are coloured by: its values as places among its words, NaN where there is none. */
interface Category {
  readonly values: ArrayLike<number>;
  readonly words: readonly string[];
  readonly colours: readonly Rgb[];
  /** Of how many codes, the first, the values are on this page. */
  readonly known: number;
}

/** How points are coloured: the row of the table for each, its 256 colours, and the colour of rings where some have one. */
export interface Inks {
  readonly rows: Uint8Array;
  readonly table: Uint8Array;
  readonly rings: Rings;
}

export class Colouring {
  readonly legend = h("div", { class: "hg-legend", data: { testid: "legend" } });
  private colours: Rgb[] = [];
  private grey: Rgb = [128, 128, 128];
  private palette: readonly string[] | undefined;
  private paper: Rgb = [255, 255, 255];
  private classCounts: Uint32Array | null = null;
  /** Which code each point of the map is; null when point i is code i. */
  private index: Int32Array | null = null;

  /** `showsSelection` is whether the tool in hand shows what is selected. */
  constructor(
    private readonly data: RunData,
    private readonly state: State,
    private readonly map: PointMap,
    private readonly showsSelection: () => boolean,
  ) {}

  setColours(grey: Rgb, paper: Rgb, palette: readonly string[] | undefined): void {
    this.grey = grey;
    this.palette = palette;
    this.paper = paper;
    const count = Math.min(HIDDEN, this.data.card.dataset.classes.length);
    this.colours = this.coloursOf(count);
  }

  private coloursOf(count: number): Rgb[] {
    return classColours(count, this.palette).map((colour) => onPaper(colour, this.paper));
  }

  /** Other points on the map: x, y, x, y, …, and which code each is (null: point i is code i). */
  showPoints(xy: Float32Array, index: Int32Array | null, glide = 0): void {
    this.index = index;
    this.map.setPoints(xy, new Uint8Array(xy.length / 2).fill(UNKNOWN), glide);
    this.recolour();
    this.highlight();
  }

  /** The same points on their way from one place to another: see `PointMap.share`. */
  showBetween(from: Float32Array, to: Float32Array, index: Int32Array): void {
    this.index = index;
    this.map.setBetween(from, to, new Uint8Array(to.length / 2).fill(UNKNOWN));
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

  /** What colours stand for where nobody has chosen: classes, else the first category with a colour for each value. */
  get usual(): string {
    const { classes } = this.data.card.dataset;
    const few = this.data.columns.list.findIndex(
      ({ kind, words }) => kind === "category" && words.length > 1 && words.length <= MOST_WORDS,
    );
    return classes.length ? "class" : few < 0 ? "plain" : `column:${few}`;
  }

  /** What the colour of a point may stand for, the usual first. */
  choices(): (readonly [key: string, title: string])[] {
    const { dataset, errors } = this.data.card;
    const { classes, factors, label } = dataset;
    const plain = ["plain", "nothing"] as const,
      amounts = [
        ...(errors === false ? [] : [["error", "reconstruction error"] as const]),
        ...factors.map((name, k) => [`factor:${k}`, name] as const),
      ];
    const columns = [
      ...this.data.columns.choices(),
      ...Array.from(this.data.computed, ([key, { title }]) => [key, title] as const),
    ];
    return classes.length
      ? [["class", label ?? "class"], ...columns, ...amounts, plain]
      : [plain, ...columns, ...amounts];
  }

  /** Values of the chosen colour for each code; null when colour stands for a class or for nothing. */
  private amounts(): Amounts | null {
    const { colour } = this.state.now;
    const { errors, factors, card } = this.data;
    const names = card.dataset.factors;
    const factor = Number(/^factor:(\d+)$/.exec(colour)?.[1] ?? NaN);
    const computed = this.data.computed.get(colour);
    let values: Float32Array | Float64Array | null = null;
    const column = this.data.columns.of(colour);
    if (column && column.kind !== "category") values = this.data.columns.values(colour, this.arrived);
    else if (colour === "error") values = errors;
    else if (computed) values = computed.values;
    else if (factor < names.length && factors) values = factors.filter((_, i) => i % names.length === factor);
    if (!values) return null;
    // A few extreme samples would leave everything else one colour.
    const step = Math.max(1, Math.floor(values.length / 50000));
    const some = values.filter((_, i) => i % step === 0);
    let [low, high] = quantiles(some, [0.01, 0.99]);
    if (low === high) [low, high] = quantiles(some, [0, 1]); // few samples have another value, as of what is missing
    const title = column?.name ?? computed?.title ?? (colour === "error" ? "reconstruction error" : names[factor]);
    const cut = [false, false] as [boolean, boolean],
      far = FAR * (high - low);
    let [beyond, missing] = [false, false];
    const known = column?.known ?? values.length;
    for (let i = 0; i < values.length; i++) {
      if (values[i] < low) cut[0] = true;
      if (values[i] > high) cut[1] = true;
      beyond ||= values[i] > high + far || values[i] < low - far;
      missing ||= i < known && Number.isNaN(values[i]);
    }
    const away = known < values.length;
    return { values, low, high, title, kind: column?.kind ?? "number", cut, beyond, missing, away };
  }

  /** The category of the chosen colour; null when colour stands for something else, or it is still on its way. */
  private category(): Category | null {
    const { colour } = this.state.now;
    const column = this.data.columns.of(colour);
    const values = column?.kind === "category" ? this.data.columns.values(colour, this.arrived) : null;
    const count = Math.min(HIDDEN, column?.words.length ?? 0);
    const known = column?.known ?? this.data.card.codes.count;
    return values && { values, words: column!.words, colours: this.coloursOf(count), known };
  }

  private readonly arrived = (): void => this.recolour();

  /** The values that points may be coloured by have arrived. */
  amountsArrived(): void {
    if (this.amounts()) this.recolour();
  }

  /** Colours all points anew. */
  recolour(): void {
    const amounts = this.amounts(),
      category = this.category();
    const { rows, table, rings } = this.inksOf(amounts, category, this.index, this.map.count);
    this.map.setRows(rows);
    this.map.setTable(table, rings);
    this.drawLegend(amounts, category);
  }

  /** The colours of `count` points. `index` is which code each of them is; null: point i is code i. */
  inks(index: Int32Array | null, count: number): Inks {
    return this.inksOf(this.amounts(), this.category(), index, count);
  }

  private inksOf(amounts: Amounts | null, category: Category | null, index: Int32Array | null, count: number): Inks {
    const colours = category?.colours ?? this.colours;
    const table = new Uint8Array(4 * 256);
    const crowded = Math.max(0.35, Math.min(0.9, 1.15 - 0.13 * Math.log10(Math.max(1, count))));
    const opacity = this.state.now.points ? Math.round(255 * crowded) : 0;
    for (let row = 0; row < 256; row++) {
      const known = amounts ? row < UNKNOWN : row < colours.length;
      const share = row === BELOW ? 0 : row === ABOVE ? 1 : row / (BELOW - 1);
      const colour = !known ? this.grey : amounts ? amount(share) : colours[row];
      table.set([...colour, !amounts && row === HIDDEN ? 0 : opacity], 4 * row);
    }
    return {
      rows: category ? rowsOf(category, index, count) : this.rows(amounts, index, count),
      table,
      rings: amounts && (luminance(this.paper) < 0.2 ? [255, 255, 255] : [20, 22, 28]),
    };
  }

  /** The row of the colour table for each point. */
  private rows(amounts: Amounts | null, index: Int32Array | null, count: number): Uint8Array {
    const rows = new Uint8Array(count).fill(UNKNOWN);
    const { data, colours } = this;
    const { colour, hidden } = this.state.now;
    if (!amounts && (colour !== "class" || !data.labels)) return rows;
    for (let p = 0; p < count; p++) {
      const i = index ? index[p] : p;
      if (amounts) {
        if (Number.isFinite(amounts.values[i])) rows[p] = rowOf(amounts, amounts.values[i]);
      } else {
        const label = data.labelOf(i);
        if (hidden.has(label)) rows[p] = HIDDEN;
        else if (label >= 0) rows[p] = label % colours.length;
      }
    }
    return rows;
  }

  private drawLegend(amounts: Amounts | null, category: Category | null): void {
    this.legend.replaceChildren();
    if (amounts) this.drawScale(amounts);
    else if (category) this.drawValues(category);
    else this.drawClasses();
  }

  /** The values of a category, and what is missing where something is. */
  private drawValues({ values, words, colours, known }: Category): void {
    const counts = new Map<number, number>();
    for (let i = 0; i < values.length; i++) {
      const value = values[i] >= 0 ? values[i] : i < known ? -1 : -2;
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    [...words, "missing", AWAY].forEach((name, k) => {
      const value = k < words.length ? k : words.length - 1 - k;
      const count = counts.get(value);
      if (!count) return;
      const entry = h("span", { class: "hg-value", title: `${count.toLocaleString("en")} samples` }, name);
      entry.style.setProperty("--class", cssColour(value < 0 ? this.grey : colours[value % colours.length]));
      this.legend.append(entry);
    });
  }

  private drawScale({ low, high, title, kind, cut, beyond, missing, away }: Amounts): void {
    const stops = Array.from({ length: 10 }, (_, i) => cssColour(amount(i / 9))).join(", ");
    const bar = h("span", { class: "hg-scale" });
    bar.style.background = `linear-gradient(to right, ${stops})`;
    const number = scaleFormat(kind, low, high);
    this.legend.append(
      h("span", {}, title),
      h("span", { class: "hg-number" }, `${cut[0] ? "\u2264 " : ""}${number(low)}`),
      bar,
      h("span", { class: "hg-number" }, `${cut[1] ? "\u2265 " : ""}${number(high)}`),
    );
    if (beyond)
      this.legend.append(
        h("span", { class: "hg-value hg-beyond", title: "Far beyond the ends of the scale" }, "far beyond"),
      );
    if (!this.data.columns.of(this.state.now.colour)) return;
    for (const word of [missing && "missing", away && AWAY].filter(Boolean)) {
      const entry = h("span", { class: "hg-value" }, word);
      entry.style.setProperty("--class", cssColour(this.grey));
      this.legend.append(entry);
    }
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

/** The row of the colour table for a value: one of the scale's, or of those far beyond its ends. */
function rowOf({ low, high }: Amounts, value: number): number {
  const share = (value - low) / (high - low || 1);
  if (share > 1 + FAR) return ABOVE;
  if (share < -FAR) return BELOW;
  return Math.round((BELOW - 1) * Math.max(0, Math.min(1, share)));
}

/** The row of the colour table for each point, by a category. */
function rowsOf({ values, words }: Category, index: Int32Array | null, count: number): Uint8Array {
  const rows = new Uint8Array(count).fill(UNKNOWN);
  for (let p = 0; p < count; p++) {
    const value = values[index ? index[p] : p];
    if (value >= 0 && value < words.length) rows[p] = value % HIDDEN;
  }
  return rows;
}
