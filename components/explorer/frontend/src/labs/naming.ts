/** Samples are named on the map, one by one or many with a lasso, and it is seen at once what that teaches. */

import { type Json, type RunCard } from "../card";
import { RunData } from "../data";
import { h, setText } from "../dom";
import { messageOf } from "../fault";
import { yieldToPage } from "../layers/slices";
import { project } from "../maths";
import { Painter } from "../paint";
import type { RunFolder } from "../run";
import { Chart, type Series } from "./chart";
import { read, written, type Act } from "./naming-acts";
import { NamingMap } from "./naming-map";
import { bytesOf, keysOf, press } from "./parts";
import { randomFrom } from "./spoiling";
import { densest, nearestOf, Spreading, type Near } from "./spreading";

const PICTURES = 8, // of the picked samples
  BUTTONS = 12, // of more classes there is a list
  COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500],
  DRAWS = 5;
type Rule = "" | "uncertain" | "densest";

/** What naming one thing after the other has brought: how many were named, and the share of new samples classified correctly. */
type Point = readonly [count: number, right: number];

export class Naming {
  readonly element = h("section", { class: "hg-lab-naming", data: { testid: "lab-naming" } });
  private card: RunCard | null = null;
  private data: RunData | null = null;
  private painter: Painter | null = null;
  private pool = new Int32Array(0);
  private judges = new Int32Array(0);
  private near: Near | null = null;
  private toPool: Near | null = null;
  private spreading: Spreading | null = null;
  private acts: Act[] = [];
  private way: Point[] = [];
  private chance: Point[] = [];
  private shares = new Float32Array(0);
  private named = new Int32Array(0);
  private told = new Int32Array(0);
  private picked: readonly number[] = [];
  private rule: Rule = "";
  private ended = false;

  private readonly map = new NamingMap((places) => this.pick(places, ""));
  private readonly said = h("p", { aria: { live: "polite" }, data: { testid: "lab-named" } }, "Preparing the map…");
  private readonly asked = h("p", { class: "hg-lab-asked" });
  private readonly pictures = h("div", { class: "hg-lab-thumbs" });
  private readonly classes = h("div", { class: "hg-lab-scores", role: "group", aria: { label: "Class" } });
  private readonly chart = new Chart("Samples named", () => undefined, "naming", true);
  private readonly undo = press("Undo", "lab-undo", () => this.take(this.acts.slice(0, -1)));
  private readonly clear = press("Clear", "lab-clear-names", () => this.take([]));

  constructor(
    private readonly folder: RunFolder,
    sent: Json,
    private opened: string,
    private readonly changed: (named: string) => void,
  ) {
    const side = h(
      "div",
      { class: "hg-lab-side" },
      h(
        "div",
        { class: "hg-lab-downloads" },
        press("Suggest: the least sure", "lab-uncertain", () => this.suggest("uncertain")),
        press("Suggest: the densest", "lab-densest", () => this.suggest("densest")),
        this.undo,
        this.clear,
      ),
      this.asked,
      this.pictures,
      this.classes,
      this.said,
      this.chart.element,
      h(
        "div",
        { class: "hg-lab-legend" },
        ...keysOf([
          { title: "named by you", colour: "var(--accent)" },
          { title: "samples drawn at random, correctly named", colour: "#8c8c8c" },
        ]),
      ),
    );
    this.element.append(
      h("h3", {}, "Name them yourself"),
      h("div", { class: "hg-lab-two" }, h("div", { class: "hg-lab-figure" }, this.map.element), side),
    );
    void this.load(sent).catch((error: unknown) => {
      if (!this.ended) this.element.append(h("p", { role: "alert" }, messageOf(error)));
    });
  }

  /** A link, or going back, may ask for other names. */
  open(named: string): void {
    if (named === this.opened) return;
    this.opened = named;
    if (this.spreading) this.take(this.readActs());
  }

  end(): void {
    this.ended = true;
    this.map.end();
  }

  /** The page has gone from light to dark, or back. */
  inked(): void {
    if (!this.painter) return;
    this.painter.ink = getComputedStyle(this.element).color;
    this.map.draw();
    this.drawPicked();
  }

  private async load(sent: Json): Promise<void> {
    this.pool = integersIn(sent["pool"]);
    this.judges = integersIn(sent["judges"]);
    const card = (this.card = await this.folder.card());
    const data = (this.data = new RunData(this.folder, card, () => undefined));
    const { count, size } = card.codes;
    data.codes = await this.folder.floats("codes.f32", count * size);
    data.labels = await this.folder.integers("labels.i32", count);
    const palette = (sent["palette"] as string[]) ?? [];
    this.map.show(await this.places(card, data), palette);
    const classes = card.dataset.classes.length;
    this.named = new Int32Array(this.pool.length).fill(-1);
    this.told = this.named.slice();
    this.painter = new Painter(card.dataset);
    this.painter.ink = getComputedStyle(this.element).color;
    this.drawMap();
    this.drawClasses(palette);
    const wait = async () => {
      await yieldToPage();
      if (this.ended) throw new Error("left");
    };
    try {
      this.near = await nearestOf(data.codes, size, this.pool, this.pool, wait);
      this.toPool = await nearestOf(data.codes, size, this.judges, this.pool, wait);
      this.spreading = new Spreading(this.near, classes);
      this.take(this.readActs(), false);
      this.element.dataset["ready"] = "true";
      await data.loadOriginals();
      this.drawPicked();
      await this.atRandom(wait);
    } catch (error) {
      if (!this.ended) throw error;
    }
  }

  /** Where the samples that can be named lie: by t-SNE, else on the plane of largest variance, or of both numbers. */
  private async places(card: RunCard, data: RunData): Promise<Float32Array<ArrayBuffer>> {
    const { size } = card.codes;
    const { tsne, pca } = card.projections;
    const out = new Float32Array(2 * this.pool.length);
    let xy: Float32Array | null = size === 2 ? data.codes : null;
    let index: Int32Array | null = null;
    if (size > 2 && tsne) {
      xy = await this.folder.floats("projections/tsne.f32", 2 * tsne.count);
      index = await data.indices("projections/tsne-index.i32", tsne.count);
    } else if (size > 2 && pca) xy = project(data.codes, size, pca.mean, pca.components);
    const at = index && new Map([...index].map((sample, place) => [sample, place]));
    this.pool.forEach((sample, i) => {
      const place = at ? at.get(sample) : sample;
      out[2 * i] = xy && place !== undefined ? xy[2 * place] : (data.codes[sample * size] ?? 0);
      out[2 * i + 1] = xy && place !== undefined ? xy[2 * place + 1] : 0;
    });
    return out;
  }

  private readActs(): Act[] {
    return read(this.opened, this.card?.dataset.classes.length ?? 0, this.pool.length);
  }

  private labelOf(place: number): number {
    return this.data?.labelOf(this.pool[place]) ?? -1;
  }

  /** How much of each class came to each sample where these are named, and the share of the judging samples classified correctly. */
  private measured(named: Int32Array): { readonly shares: Float32Array<ArrayBuffer>; readonly right: number } {
    const { spreading, toPool, data } = this;
    if (!spreading || !toPool || !data) return { shares: new Float32Array(0), right: 0 };
    const shares = spreading.spread(named);
    const told = spreading.tell(toPool, shares);
    const good = told.filter((label, i) => label === data.labelOf(this.judges[i])).length;
    return { shares, right: good / Math.max(1, told.length) };
  }

  /** From now on these were named, one act after the other. */
  private take(acts: Act[], report = true): void {
    if (!this.spreading) return;
    const begun = performance.now();
    // What was named before stays as it was measured: only what is new is.
    const same = acts.findIndex((act, i) => act !== this.acts[i]);
    const kept = same < 0 ? Math.min(acts.length, this.acts.length) : same;
    const named = new Int32Array(this.pool.length).fill(-1);
    const way = this.way.slice(0, kept);
    let now = this.measured(named);
    acts.forEach(({ label, places }, i) => {
      for (const place of places) named[place] = label;
      if (i < kept && i < acts.length - 1) return;
      now = this.measured(named);
      if (i >= kept) way.push([count(named), now.right]);
    });
    this.shares = now.shares;
    [this.acts, this.way, this.named] = [acts, way, named];
    this.told = this.spreading.told(this.shares);
    this.picked = [];
    performance.measure("lab:draw", { start: begun, end: performance.now() });
    if (this.rule) this.suggest(this.rule);
    else this.drawPicked();
    this.drawMap();
    this.draw();
    if (!report) return;
    this.opened = written(acts);
    this.changed(this.opened);
  }

  private pick(places: readonly number[], rule: Rule): void {
    this.rule = rule;
    this.picked = places;
    this.drawPicked();
    this.drawMap();
  }

  private suggest(rule: Rule): void {
    const { spreading, near, data, named, pool } = this;
    if (!spreading || !near || !data || !this.card) return;
    const { size } = this.card.codes;
    const distance = (i: number, j: number) => {
      let sum = 0;
      for (let d = 0; d < size; d++) sum += (data.codes[pool[i] * size + d] - data.codes[pool[j] * size + d]) ** 2;
      return Math.sqrt(sum);
    };
    const unsure = rule === "uncertain" ? spreading.leastSure(this.shares, named) : null;
    const place = unsure ?? densest(near, named, distance);
    this.pick(place === null ? [] : [place], rule);
  }

  private give(label: number): void {
    if (this.picked.length) this.take([...this.acts, { label, places: [...this.picked].sort((a, b) => a - b) }]);
  }

  private drawMap(): void {
    this.map.update({ named: this.named, told: this.told, picked: new Set(this.picked) });
  }

  private drawClasses(palette: readonly string[]): void {
    const names = this.card?.dataset.classes ?? [];
    if (names.length > BUTTONS) {
      const list = h("select", { aria: { label: "Class" }, data: { testid: "lab-class" } });
      list.append(...names.map((name, i) => h("option", { value: String(i) }, name)));
      this.classes.replaceChildren(
        list,
        press("Name", "lab-name", () => this.give(Number(list.value))),
      );
      return;
    }
    this.classes.replaceChildren(
      ...names.map((name, i) => {
        const mark = h("i", {});
        mark.style.background = palette[i] ?? "gray";
        return h(
          "button",
          { type: "button", data: { testid: `lab-class-${i}` }, on: { click: () => this.give(i) } },
          mark,
          name,
        );
      }),
    );
  }

  /** What was picked, and what to do with it. */
  private drawPicked(): void {
    const { picked, data, painter } = this;
    const n = picked.length;
    const one = {
      "": "What is it?",
      uncertain: "What is it? The labels are least sure of it.",
      densest: "What is it? Many are like it.",
    };
    setText(
      this.asked,
      !this.spreading
        ? ""
        : n === 0
          ? "Click a sample on the map, draw around several, or take a suggestion. Then say what it is."
          : n === 1
            ? one[this.rule]
            : `${n.toLocaleString("en")} samples picked. What are they?`,
    );
    for (const button of this.classes.querySelectorAll("button")) button.disabled = n === 0;
    this.pictures.replaceChildren(
      ...Array.from({ length: Math.min(n, PICTURES) }, (_, i) => {
        const place = picked[Math.floor((i * n) / Math.min(n, PICTURES))];
        const canvas = painter?.canvas(n === 1 ? "hg-lab-shown-one" : "hg-lab-thumb");
        const values = data?.original(this.pool[place]);
        if (canvas && values) painter?.paint(canvas, values);
        return canvas ?? "";
      }),
    );
  }

  private draw(): void {
    const { acts, way } = this;
    this.undo.disabled = this.clear.disabled = acts.length === 0;
    const named = count(this.named);
    if (!named)
      setText(this.said, `Nothing is named yet. ${this.judges.length.toLocaleString("en")} other samples will judge.`);
    else {
      const good = this.named.filter((label, place) => label >= 0 && label === this.labelOf(place)).length;
      const [, right] = way[way.length - 1];
      const chance = between(this.chance, named);
      const beside = chance === null ? "" : ` As many drawn at random, correctly named: ${percent(chance)}.`;
      setText(
        this.said,
        `${plural(named, "sample")} named (${good.toLocaleString("en")} correctly) in ${plural(acts.length, "go", "goes")}: ` +
          `${percent(right)} of ${this.judges.length.toLocaleString("en")} other samples are classified correctly.${beside}`,
      );
    }
    const most = Math.max(200, named);
    const series: Series[] = [
      { name: "chance", title: "named at random", colour: "#8c8c8c", dashed: true, points: inPercent(this.chance) },
      { name: "you", title: "named by you", colour: "var(--accent)", main: true, points: inPercent(way) },
    ];
    this.chart.draw(
      { title: "samples named", log: true, low: 1, high: most },
      { title: "classified correctly in %", low: 0, high: 100 },
      series,
    );
  }

  /** What as many names bring that are given to samples drawn at random: the mean of a few draws, with the right names. */
  private async atRandom(wait: () => Promise<unknown>): Promise<void> {
    const random = randomFrom(1);
    const orders = Array.from({ length: DRAWS }, () => shuffled(this.pool.length, random));
    for (const some of COUNTS.filter((one) => one <= this.pool.length)) {
      let sum = 0;
      for (const order of orders) {
        await wait();
        const named = new Int32Array(this.pool.length).fill(-1);
        for (const place of order.subarray(0, some)) named[place] = this.labelOf(place);
        sum += this.measured(named).right;
      }
      this.chance.push([some, sum / DRAWS]);
      this.draw();
    }
  }
}

const integersIn = (text: unknown): Int32Array<ArrayBuffer> =>
  new Int32Array(bytesOf(typeof text === "string" ? text : "").buffer);
const count = (named: Int32Array): number => named.reduce((sum, label) => sum + (label >= 0 ? 1 : 0), 0);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const inPercent = (points: readonly Point[]): (readonly [number, number])[] =>
  [...points].sort(([a], [b]) => a - b).map(([x, y]) => [x, 100 * y] as const);

/** The share at a count, in proportion to its logarithm; null where the line does not reach so far. */
export function between(line: readonly Point[], at: number): number | null {
  const next = line.findIndex(([n]) => n >= at);
  if (next < 0) return null;
  const [x1, y1] = line[next],
    [x0, y0] = line[Math.max(0, next - 1)];
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * Math.log(at / x0)) / Math.log(x1 / x0);
}

function shuffled(count: number, random: () => number): Int32Array {
  const out = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}
