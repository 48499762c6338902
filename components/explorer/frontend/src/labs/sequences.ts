/** How does it go on? A pen draws what is given, and what may come next appears beside it; or two rows of frames of a film. */

import { objectOf, type Json } from "../card";
import { causeNow } from "../cause";
import { choice, h, setText } from "../dom";
import { listenToBrush } from "../input/brush";
import type { Point } from "../maths";
import { Chart, short, type Series } from "./chart";
import { downloads } from "./downloads";
import { fanOf } from "./forecaster";
import css from "./sequences.css?inline";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { keysOf, numberIn, press } from "./parts";
import { addStyles } from "../styles";
import { LongSeries } from "./sequences-series";
import { lettersOf, readAnswer, valuesOf, type Answer } from "./sequences-answer";
import { Films } from "./sequences-films";
import { Plot, type Line } from "./sequences-plot";

const COLOURS: Readonly<Record<string, string>> = {
  network: "var(--accent)",
  kernel: "#d55e00",
  neighbours: "#009e73",
  ridge: "#b07aa1",
};
/** What can be shown over the rest, by its name: the plain methods, what was measured, and the draws. The address has a letter for each. */
const SHOWN = ["network", "kernel", "neighbours", "ridge", "draws", "truth"] as const;
const LETTERS: Readonly<Record<string, string>> = {
  network: "n",
  kernel: "k",
  neighbours: "b",
  ridge: "r",
  draws: "d",
  truth: "t",
};
/** What the words on one step ahead call the methods. */
const AHEAD = { network: "network", kernel: "kernel ridge", neighbours: "k nearest neighbours", ridge: "ridge" };
const USUAL = new Set<string>(["network", "kernel", "truth"]);

export const sequences: LabOf = (host, data, view, context) => {
  addStyles(host, css, "hourglass-sequences-style");
  return data["film"] ? new Films(host, data, view, context) : new Sequences(host, data, view, context);
};

interface Sent {
  readonly answer: Answer;
  readonly series: Json | null;
}

class Sequences extends Showing<Sent> {
  private answer: Answer | null = null;
  private plot: Plot | null = null;
  private frame = 0;
  private picked = 0;
  /** Whether what is given was drawn by hand: then nobody knows how it goes on. */
  private drawn = false;
  private step = 1;
  private given = new Float32Array();
  private on = new Set(USUAL);
  private edges: Float32Array[] = [];
  /** The button for how it went on, which nobody knows of what was drawn. */
  private truth: HTMLButtonElement | null = null;

  private readonly figure = h("div", { class: "hg-lab-figure" });
  private readonly toggles = h("div", { class: "hg-lab-scores", role: "group", aria: { label: "What is shown" } });
  private readonly thumbs = h("div", { class: "hg-lab-scores", role: "group", aria: { label: "What is given" } });
  private readonly message = h("p", { class: "hg-sum", aria: { live: "polite" } });
  private readonly chart = new Chart("How many steps ahead", (step) => this.goAhead(step), "horizon");
  private readonly words = h("p", { data: { testid: "lab-ahead" } });
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly side = h("div", { class: "hg-lab-side" });
  private readonly series = new LongSeries(() => this.rest());
  private readonly watch = new ResizeObserver(() => {
    if (this.plot?.fit()) this.draw();
  });

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    this.side.append(
      h("b", {}, "How wrong, so many steps ahead"),
      this.chart.element,
      this.legend,
      this.words,
      downloads(this.chart, "error-by-horizon"),
    );
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, this.figure, this.side), this.series.element);
    this.update(data, view);
  }

  protected async read(data: Json): Promise<Sent> {
    return { answer: await readAnswer(data), series: data["series"] ? objectOf(data["series"]) : null };
  }

  protected open({ answer, series }: Sent, view: LabView): void {
    const { form } = answer;
    this.answer = answer;
    this.series.open(series, view);
    const number = (name: string, usual: number, low: number, high: number) =>
      Math.round(numberIn(view, name, usual, low, high));
    this.picked = number("sample", 0, 0, answer.shown.length - 1);
    this.step = number("ahead", 1, 1, form.steps - form.given);
    this.on = new Set(view["lines"] ? SHOWN.filter((one) => view["lines"].includes(LETTERS[one])) : USUAL);
    const channel = number("channel", 0, 0, form.channels - 1);
    this.edges = [0, 1, 2, 3].map(() => new Float32Array((form.steps - form.given) * form.channels));
    this.plot = new Plot(form.steps, form.given, form.channels, answer.range, channel, answer.channels);
    this.watch.disconnect();
    this.watch.observe(this.plot.canvas);
    this.listen(answer, this.plot);
    this.pick(this.picked, false);
    const own = view["drawn"] ? valuesOf(view["drawn"], form.given, answer.range) : null;
    if (own) {
      own.forEach((value, t) => (this.given[t * form.channels + channel] = value));
      this.drawn = true;
    }
    this.build(answer, this.plot);
    this.plot.fit();
    this.drawChart();
    this.ahead();
    this.draw();
    this.ready();
  }

  protected override inked(): void {
    this.draw();
    this.series.draw();
  }

  private build(answer: Answer, plot: Plot): void {
    const next = () => this.pick((this.picked + 1) % answer.shown.length);
    this.thumbs.replaceChildren(
      press("Another one", "lab-next", next, "Another signal that nobody has learnt from"),
      press("A clean sheet", "lab-blank", () => this.blank(), "A flat line to draw on"),
      press("As it was measured", "lab-back", () => this.pick(this.picked), "The signal before you drew over it"),
    );
    const titles: Record<string, string> = { draws: `${answer.forecaster.count} draws`, truth: "how it went on" };
    for (const { name, title } of answer.methods) titles[name] ??= title;
    this.toggles.replaceChildren(
      ...SHOWN.map((name) => {
        const mark = h("i", {});
        mark.style.background = name === "truth" ? "currentColor" : COLOURS[name === "draws" ? "network" : name];
        const one = press(titles[name], `lab-show-${name}`, () => {
          if (!this.on.delete(name)) this.on.add(name);
          one.setAttribute("aria-pressed", String(this.on.has(name)));
          this.draw();
          this.rest();
        });
        one.prepend(mark);
        if (name === "truth") this.truth = one;
        one.setAttribute("aria-pressed", String(this.on.has(name)));
        return one;
      }),
    );
    const { channels } = answer;
    const which = choice(
      "Channel",
      channels.map(({ name }, i) => [String(i), name] as const),
      String(plot.channel),
      (value) => {
        plot.channel = Number(value);
        this.draw();
        this.rest();
      },
      "lab-channel",
    );
    this.figure.replaceChildren(
      this.thumbs,
      ...(channels.length > 1 ? [which] : []),
      plot.canvas,
      this.message,
      this.toggles,
    );
  }

  private listen(answer: Answer, plot: Plot): void {
    const { form } = answer;
    let moved = causeNow();
    listenToBrush(plot.canvas, form.steps, {
      line: (from, to) => this.line(from, to),
      changed: (cause) => {
        moved = cause;
        // Several moves within a frame are drawn once.
        this.frame ||= requestAnimationFrame(() => {
          this.frame = 0;
          this.draw();
          performance.measure("lab:draw", { start: moved.begun, end: performance.now() });
        });
      },
      ended: () => this.rest(),
      said: (words) => setText(this.message, words),
    });
  }

  /** Every number between the two places takes the pen's height. */
  private line(from: Point, to: Point): void {
    const { answer, plot } = this;
    if (!answer || !plot) return;
    const { given, channels } = answer.form;
    const [[a, low], [b, high]] = [plot.place(from), plot.place(to)];
    const step = (at: number) => Math.min(given - 1, Math.max(0, Math.round(at)));
    for (let t = step(Math.min(a, b)); t <= step(Math.max(a, b)); t++) {
      const share = a === b ? 1 : Math.min(1, Math.max(0, (t - a) / (b - a)));
      this.given[t * channels + plot.channel] = low + share * (high - low);
    }
    this.drawn = true;
  }

  private pick(index: number, told = true): void {
    const { answer } = this;
    if (!answer) return;
    this.picked = index;
    this.drawn = false;
    this.given = answer.shown[index].slice(0, answer.form.given * answer.form.channels);
    if (!told) return;
    this.draw();
    this.rest();
  }

  private blank(): void {
    const { answer, plot } = this;
    if (!answer || !plot) return;
    const { given, channels } = answer.form;
    for (let t = 0; t < given; t++) this.given[t * channels + plot.channel] = 0;
    this.drawn = true;
    this.draw();
    this.rest();
  }

  /** Everything that depends on what is given. */
  private draw(): void {
    const { answer, plot, given, edges, on } = this;
    if (!answer || !plot) return;
    const { form } = answer;
    if (this.truth) this.truth.disabled = this.drawn;
    const found = answer.forecaster.run(given);
    fanOf(found.draws, 0.8, edges[0], edges[1]);
    fanOf(found.draws, 0.5, edges[2], edges[3]);
    const lines: Line[] = [];
    const plain = [...answer.plain]
      .filter(([name]) => on.has(name))
      .map(([name, predict]) => ({ name, values: predict(given) }));
    const truth = answer.shown[this.picked].subarray(form.given * form.channels);
    for (const one of plain) lines.push({ ...one, colour: COLOURS[one.name] });
    if (on.has("truth") && !this.drawn)
      lines.push({ name: "truth", colour: getComputedStyle(plot.canvas).color, values: truth, dashed: true });
    if (on.has("network")) lines.push({ name: "network", colour: "", values: found.mean, wide: 3 });
    plot.canvas.sample = found.mean.slice();
    plot.draw({
      given,
      bands: on.has("network")
        ? [
            [edges[0], edges[1]],
            [edges[2], edges[3]],
          ]
        : [],
      draws: on.has("draws") ? found.draws : [],
      lines,
    });
    setText(this.verdict, this.said(answer, found.mean, truth, plain));
  }

  private said(
    { form, methods, channels }: Answer,
    mean: Float32Array,
    truth: Float32Array,
    plain: readonly Pick<Line, "name" | "values">[],
  ): string {
    const [low, high] = this.edges;
    let width = 0;
    for (let k = 0; k < low.length; k++) width += (high[k] - low[k]) / low.length;
    const one = channels.length === 1;
    const wide = one
      ? `${short(width * channels[0].deviation)} wide, ${channels[0].name}`
      : `${short(width)} deviations wide`;
    if (this.drawn)
      return `Nobody knows how yours goes on. The fan, meant to hold the truth in 80 of 100 cases, is on the mean ${wide}.`;
    const missed = (values: Float32Array) => {
      let sum = 0;
      for (let k = 0; k < truth.length; k++) sum += (values[k] - truth[k]) ** 2 / truth.length;
      return sum;
    };
    let inside = 0;
    for (let k = 0; k < truth.length; k++) inside += truth[k] >= low[k] && truth[k] <= high[k] ? 1 : 0;
    const others = plain.map(({ name, values }) => {
      const title = methods.find((one) => one.name === name)?.title ?? name;
      return `${title} ${short(missed(values))}`;
    });
    const percent = Math.round((100 * inside) / truth.length);
    const against = others.length ? ` (${others.join(", ")})` : "";
    return `This one: squared error ${short(missed(mean))} of the network${against}; ${percent} % of its ${form.steps - form.given} next steps lie in the fan.`;
  }

  private drawChart(): void {
    const { answer } = this;
    if (!answer) return;
    const series: Series[] = answer.methods.map(({ name, title, horizon }) => ({
      name,
      title,
      colour: COLOURS[name] ?? (name === "last" ? "#a6761d" : "#8c8c8c"),
      main: name === "network",
      plain: true,
      dashed: name === "mean" || name === "last",
      points: horizon.map((error, i) => [i + 1, error] as const),
    }));
    const known = answer.methods.filter(({ name }) => name !== "last").flatMap(({ horizon }) => horizon);
    this.chart.draw(
      {
        title: "steps ahead",
        low: 1,
        high: answer.form.steps - answer.form.given,
        stops: series[0].points.map(([step]) => step),
      },
      { title: "mean squared error", low: 0, high: 1.08 * Math.max(...known) },
      series,
    );
    this.legend.replaceChildren(...keysOf(series.map(({ title, colour, dashed }) => ({ title, colour, dashed }))));
  }

  private goAhead(step: number): void {
    if (step === this.step) return;
    this.step = step;
    this.ahead();
    this.rest();
  }

  /** How wrong the methods are so many steps ahead. */
  private ahead(): void {
    const told = Object.entries(AHEAD).flatMap(([wanted, title]) => {
      const found = this.answer?.methods.find(({ name }) => name === wanted);
      return found ? `${title} ${short(found.horizon[this.step - 1])}` : [];
    });
    const words = `${this.step} ${this.step === 1 ? "step" : "steps"} ahead: ${told.join(", ")}.`;
    this.chart.place(this.step, words);
    setText(this.words, words);
  }

  protected view(): LabView | null {
    const { answer, plot } = this;
    if (!answer || !plot) return null;
    const { given, channels } = answer.form;
    const own = Float32Array.from({ length: given }, (_, t) => this.given[t * channels + plot.channel]);
    const same = this.on.size === USUAL.size && [...USUAL].every((one) => this.on.has(one));
    return {
      sample: this.picked ? String(this.picked) : "",
      drawn: this.drawn ? lettersOf(own, answer.range) : "",
      lines: same ? "" : SHOWN.map((one) => (this.on.has(one) ? LETTERS[one] : "")).join("") || "-",
      ahead: this.step === 1 ? "" : String(this.step),
      channel: plot.channel ? String(plot.channel) : "",
      ...this.series.view(),
    };
  }

  override end(): void {
    super.end();
    cancelAnimationFrame(this.frame);
    this.watch.disconnect();
    this.series.end();
  }
}
