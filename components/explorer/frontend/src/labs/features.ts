/** What features are good for with few labels: lines over the number of labels, and samples that one names on the map. */

import { objectOf, type Json } from "../card";
import { h, setText } from "../dom";
import { Bars } from "./bars";
import { Chart, type Series } from "./chart";
import { downloads } from "./downloads";
import css from "./features.css?inline";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { keysOf } from "./parts";
import { addStyles } from "../styles";
import { Naming } from "./naming";

interface Feature {
  readonly name: string;
  readonly title: string;
  readonly ours: boolean;
}

interface Curve {
  readonly features: string;
  readonly method: string;
  /** Shares right, over the counts of labels. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

interface Verdict {
  readonly words: string;
  readonly ours: readonly [features: string, method: string];
}

const PLAIN = ["#8c8c8c", "#e69f00", "#cc79a7"],
  LAYERS = ["#56b4e9", "#009e73", "#d55e00", "#0072b2", "#7a3b1d", "#5a2d91"];

export const features: LabOf = (host, data, view, context) => new Features(host, data, view, context);

class Features extends Showing<Json> {
  private counts: readonly number[] = [];
  private features: readonly Feature[] = [];
  private methods: Readonly<Record<string, string>> = {};
  private curves: readonly Curve[] = [];
  private verdicts: readonly Verdict[] = [];
  /** The place of the chosen count among the counts. */
  private at = 0;
  private usual = 0;
  private method = "";
  private named = "";

  private readonly chart = new Chart("Labels of each class", (count) => this.moveTo(count), "labels");
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly bars = new Bars((column) => this.choose(Object.keys(this.methods)[column]));
  private readonly naming: Naming;

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    const figure = h("div", { class: "hg-lab-figure" }, this.chart.element, this.legend);
    figure.append(downloads(this.chart, "features"));
    const about = h("p", {}, "Of new samples classified correctly, in %. A click on a method draws it.");
    const side = h("div", { class: "hg-lab-side" }, about, h("div", { class: "hg-lab-scroll" }, this.bars.element));
    this.naming = new Naming(context.folder, data, view["named"] ?? "", (named) => {
      this.named = named;
      this.rest();
    });
    addStyles(host, css, "hourglass-features-style");
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, figure, side), this.naming.element);
    this.update(data, view);
  }

  protected read(data: Json): Json {
    return objectOf(data["facts"]);
  }

  protected open(facts: Json, view: LabView): void {
    this.counts = facts["counts"] as number[];
    this.features = facts["features"] as Feature[];
    this.methods = facts["methods"] as Record<string, string>;
    this.curves = facts["curves"] as Curve[];
    this.verdicts = facts["verdicts"] as Verdict[];
    this.usual = Number(facts["usual"]);
    const wanted = this.counts.indexOf(Number(view["count"]));
    this.at = wanted < 0 ? this.usual : wanted;
    this.method = Object.hasOwn(this.methods, view["method"] ?? "") ? view["method"] : this.chief;
    this.named = view["named"] ?? "";
    this.naming.open(this.named);
    this.draw();
    this.ready();
  }

  protected override inked(): void {
    this.naming.inked();
  }

  /** The method by which this run is best with the usual number of labels. */
  private get chief(): string {
    return this.verdicts[this.usual].ours[1];
  }

  private colourOf(feature: Feature): string {
    if (feature.name === "codes") return "var(--accent)";
    const same = this.features.filter(({ ours, name }) => ours === feature.ours && name !== "codes");
    const colours = feature.ours ? LAYERS : PLAIN;
    return colours[same.indexOf(feature) % colours.length];
  }

  private choose(method: string): void {
    this.method = method;
    this.draw();
    this.rest();
  }

  private moveTo(count: number): void {
    const begun = performance.now();
    const at = this.counts.indexOf(count);
    if (at === this.at) return;
    this.at = at;
    this.draw();
    performance.measure("lab:draw", { start: begun, end: performance.now() });
    this.rest();
  }

  private draw(): void {
    const { counts, method, at } = this;
    const series: Series[] = this.features.flatMap((feature) => {
      const curve = this.curves.find((one) => one.features === feature.name && one.method === method);
      if (!curve) return [];
      return {
        name: feature.name,
        title: feature.title,
        colour: this.colourOf(feature),
        main: feature.name === "codes",
        points: counts.map((count, i) => [count, 100 * curve.mean[i]] as const),
        deviations: curve.deviation.map((one) => 100 * one),
      };
    });
    const least = Math.min(...series.flatMap(({ points }) => points.map(([, y]) => y)));
    this.chart.draw(
      {
        title: `labels of each class (${this.methods[method]})`,
        log: true,
        low: counts[0],
        stops: counts,
        high: Math.max(2, ...counts),
      },
      { title: "classified correctly in %", low: 10 * Math.floor(Math.max(0, least - 5) / 10), high: 100 },
      series,
    );
    const { words } = this.verdicts[at];
    setText(this.verdict, words);
    this.chart.place(counts[at], words);
    this.legend.replaceChildren(...keysOf(series.map(({ title, colour }) => ({ title, colour }))));
    const names = Object.keys(this.methods);
    this.bars.draw(
      names.map((name) => ({
        title: this.methods[name],
        about: `Draw and order by ${this.methods[name]}`,
        say: (value: number) => value.toFixed(1),
      })),
      this.features.map(({ name, title, ours }) => ({
        title,
        about: ours ? "this run" : "plain",
        main: name === "codes",
        values: names.map((one) => {
          const curve = this.curves.find((curve) => curve.features === name && curve.method === one);
          return curve ? 100 * curve.mean[at] : null;
        }),
      })),
      names.indexOf(method),
      "features",
    );
  }

  protected view(): LabView {
    return {
      count: this.at === this.usual ? "" : String(this.counts[this.at]),
      method: this.method === this.chief ? "" : this.method,
      named: this.named,
    };
  }

  override end(): void {
    super.end();
    this.naming.end();
  }
}
