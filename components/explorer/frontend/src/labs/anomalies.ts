/** A threshold to drag on the scores of normal samples and of those that do not belong: what is found, and what it costs. */

import { objectOf, type Json } from "../card";
import { h, setText } from "../dom";
import { term } from "../tips";
import { Chart, short, type Series } from "./chart";
import { downloads } from "./downloads";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { keysOf, numberIn, press, slider } from "./parts";
import { cheapest, confusion, cost, outline, type Scores } from "./threshold";

interface Method extends Scores {
  readonly name: string;
  readonly title: string;
  /** What the score is. */
  readonly about: string;
  /** What held-out normal samples alone say. */
  readonly threshold: number;
}

const BINS = 40;
const STEP = 0.05; // of sliders, in powers of ten
const NORMAL = "#56b4e9",
  OTHER = "#d55e00",
  COST = "#8c8c8c",
  HELD = "#009e73";

export const anomalies: LabOf = (host, data, view, context) => new Anomalies(host, data, view, context);

class Anomalies extends Showing<Json> {
  private methods: readonly Method[] = [];
  private share = 0.01;
  private chosen = "combined";
  /** The threshold of each method that was looked at. */
  private readonly levels = new Map<string, number>();
  private miss = 10;
  /** The threshold with the least cost of the chosen score, found anew when either changes. */
  private best = 0;
  private week = 1000;
  /** Alarms that somebody can look at in a week. */
  private room = 50;

  private readonly chart = new Chart("Threshold of the score", (level) => this.moveTo(level), "threshold");
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly scores = h("div", { class: "hg-lab-scores", role: "group", aria: { label: "Score" } });
  private readonly matrix = h("table", { class: "hg-lab-matrix", data: { testid: "lab-matrix" } });
  private readonly costs = h("p", { data: { testid: "lab-cost" } });
  private readonly alarms = h("p", { data: { testid: "lab-alarms" } });
  private readonly toHeld = press("Where 95 % of held-out normal samples are quiet", "lab-held", () =>
    this.moveTo(this.method.threshold),
  );
  private readonly toCheapest = press("Where these samples cost least", "lab-cheapest", () => this.moveTo(this.best));
  private readonly missed = slider("A miss costs as much as … false alarms", "lab-miss", [0, 3, STEP], (power) => {
    this.miss = round(10 ** power);
    this.drawChart();
    this.drawn();
  });
  private readonly weekly = slider("Samples a week", "lab-week", [2, 6, STEP], (power) => {
    this.week = round(10 ** power);
    this.drawn();
  });
  private readonly looked = slider("Alarms that can be looked at, a week", "lab-room", [0, 4, STEP], (power) => {
    this.room = round(10 ** power);
    this.drawn();
  });
  private readonly toRoom = press("Where as many alarms come as can be looked at", "lab-fitting", () => this.fitting());

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    const figure = h("div", { class: "hg-lab-figure" }, this.scores, this.chart.element, this.legend);
    figure.append(downloads(this.chart, "threshold"));
    const side = h(
      "div",
      { class: "hg-lab-side" },
      this.matrix,
      this.missed.element,
      this.costs,
      this.weekly.element,
      this.looked.element,
      this.alarms,
      h("div", { class: "hg-lab-downloads" }, this.toHeld, this.toCheapest, this.toRoom),
    );
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, figure, side));
    this.update(data, view);
  }

  protected read(data: Json): Json {
    return data;
  }

  protected open(data: Json, view: LabView): void {
    const facts = objectOf(data["facts"]);
    this.methods = data["methods"] as Method[];
    this.share = Number(facts["share"]);
    this.levels.clear();
    this.chosen = this.methods.some(({ name }) => name === view["score"]) ? String(view["score"]) : "combined";
    this.miss = numberIn(view, "miss", 10, 1, 1000);
    this.week = numberIn(view, "week", 1000, 100, 1e6);
    this.room = numberIn(view, "room", 50, 1, 1e4);
    this.missed.input.value = String(Math.log10(this.miss));
    this.weekly.input.value = String(Math.log10(this.week));
    // Whoever asks what another cost would mean is shown where it is least.
    const usual = view["miss"] ? cheapest(this.method, this.miss, 1) : this.method.threshold;
    this.levels.set(this.chosen, numberIn(view, "at", usual));
    this.scores.replaceChildren(
      ...this.methods.map(({ name, title, about }) =>
        h(
          "button",
          {
            type: "button",
            data: { testid: `lab-score-${name.replace(/\W+/g, "-").toLowerCase()}`, score: name, tip: about },
            on: { click: () => this.choose(name) },
          },
          title,
        ),
      ),
    );
    this.drawChart();
    this.draw();
    this.ready();
  }

  private get method(): Method {
    return this.methods.find(({ name }) => name === this.chosen) ?? this.methods[0];
  }

  private get level(): number {
    return this.levels.get(this.chosen) ?? this.method.threshold;
  }

  private choose(name: string): void {
    this.chosen = name;
    this.drawChart();
    this.drawn();
  }

  private drawn(): void {
    this.draw();
    this.rest();
  }

  /** Alarms a week above a level, and how many of them are right. */
  private weeklyAlarms(level: number): { readonly all: number; readonly right: number } {
    const { method } = this;
    const now = confusion(method, level);
    const right = (this.week * this.share * now.found) / Math.max(1, method.other.length);
    return {
      right,
      all: right + (this.week * (1 - this.share) * now.falseAlarms) / Math.max(1, method.normal.length),
    };
  }

  private fitting(): void {
    const { normal, other } = this.method;
    const levels = [...normal, ...other].sort((a, b) => a - b);
    this.moveTo(levels.find((level) => this.weeklyAlarms(level).all <= this.room) ?? levels[levels.length - 1]);
  }

  private range(): readonly [number, number] {
    const { normal, other } = this.method;
    const all = [normal[0], other[0], normal[normal.length - 1], other[other.length - 1]];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const more = 0.03 * (high - low || 1);
    return [low - more, high + more];
  }

  /** Both histograms, what each threshold costs, and the two thresholds that stand out. */
  private drawChart(): void {
    const { method } = this;
    this.best = cheapest(method, this.miss, 1);
    const [low, high] = this.range();
    const shapes = [outline(method.normal, low, high, BINS), outline(method.other, low, high, BINS)];
    const top = 1.08 * Math.max(...shapes.flat().map(([, share]) => share));
    const prices = Array.from({ length: 121 }, (_, i) => {
      const level = low + ((high - low) * i) / 120;
      return [level, cost(confusion(method, level), this.miss, 1)] as const;
    });
    const dearest = Math.max(...prices.map(([, price]) => price), 1);
    const upright = (x: number) => [[x, 0] as const, [x, top] as const];
    const series: Series[] = [
      { name: "normal", title: "normal", colour: NORMAL, main: true, plain: true, points: shapes[0] },
      { name: "other", title: "does not belong", colour: OTHER, main: true, plain: true, points: shapes[1] },
      {
        name: "cost",
        title: "total cost (its own scale)",
        colour: COST,
        plain: true,
        points: prices.map(([level, price]) => [level, (0.95 * top * price) / dearest] as const),
      },
      {
        name: "held",
        title: "threshold from normal samples",
        colour: HELD,
        dashed: true,
        points: upright(method.threshold),
      },
      {
        name: "best",
        title: "least cost here",
        colour: COST,
        dashed: true,
        points: upright(this.best),
      },
    ];
    this.chart.draw(
      { title: `score: ${method.title}`, low, high },
      { title: "share of the samples in %", low: 0, high: top },
      series,
    );
    this.legend.replaceChildren(...keysOf(series));
    for (const button of this.scores.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset["score"] === this.chosen));
  }

  private moveTo(level: number): void {
    const begun = performance.now();
    this.levels.set(this.chosen, level);
    this.draw();
    performance.measure("lab:draw", { start: begun, end: performance.now() });
    this.rest();
  }

  /** Everything that depends on the threshold. */
  private draw(): void {
    const { method, level } = this;
    const now = confusion(method, level);
    const found = now.found / Math.max(1, method.other.length),
      wrong = now.falseAlarms / Math.max(1, method.normal.length);
    const words = `With ${method.title}, at this threshold, ${percent(found)} of what does not belong is found, and ${percent(wrong)} of the normal samples are false alarms.`;
    setText(this.verdict, words);
    this.chart.place(level, words);
    const row = (title: string, alarms: number, quiet: number, good: boolean) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, title),
        h("td", { class: good ? "hg-lab-good" : "hg-lab-bad" }, alarms.toLocaleString("en")),
        h("td", { class: good ? "hg-lab-bad" : "hg-lab-good" }, quiet.toLocaleString("en")),
      );
    this.matrix.replaceChildren(
      h(
        "tr",
        {},
        h("td", {}),
        h("th", { scope: "col" }, term("alarm", "Its score is above the threshold.")),
        h("th", { scope: "col" }, term("quiet", "Its score is below the threshold.")),
      ),
      row("does not belong", now.found, now.missed, true),
      row("normal", now.falseAlarms, now.quiet, false),
    );
    const price = cost(now, this.miss, 1),
      least = cost(confusion(method, this.best), this.miss, 1);
    this.missed.say(short(this.miss));
    setText(
      this.costs,
      `Cost on these samples: ${price.toLocaleString("en")} (${now.missed} × ${short(this.miss)} + ${now.falseAlarms}); ` +
        `at its least ${least.toLocaleString("en")}, which nobody could know beforehand.`,
    );
    this.weekly.say(this.week.toLocaleString("en"));
    this.looked.say(this.room.toLocaleString("en"));
    const { all, right } = this.weeklyAlarms(level);
    const many =
      all > this.room ? ` That is more than the ${this.room.toLocaleString("en")} that can be looked at.` : "";
    setText(
      this.alarms,
      `About ${count(all)} alarms a week, ${count(right)} of them right, where ${percent(this.share)} do not belong.${many}`,
    );
  }

  protected view(): LabView {
    return {
      score: this.chosen === "combined" ? "" : this.chosen,
      at: this.level.toPrecision(5),
      miss: this.miss === 10 ? "" : String(this.miss),
      week: this.week === 1000 ? "" : String(this.week),
      room: this.room === 50 ? "" : String(this.room),
    };
  }
}

const round = (value: number): number => Number(value.toPrecision(value < 10 ? 1 : 2));
const count = (value: number): string => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en"));
const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
