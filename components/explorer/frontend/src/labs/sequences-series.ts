/** A long series with what went on otherwise than was predicted marked on it, and the threshold to drag. */

import { cpuContext } from "../canvas";
import { objectOf, type Json } from "../card";
import { h, setText } from "../dom";
import { themeOf } from "../theme";
import { short } from "./chart";
import type { LabView } from "./lab";
import { bytesOf, numberIn, press } from "./parts";

export type Stretch = readonly [begin: number, end: number];

interface Scored {
  readonly name: string;
  readonly title: string;
  /** The score that nearly all held-out steps do not reach. */
  readonly threshold: number;
  /** From the first step that has one. */
  readonly scores: Float32Array;
  /** Of held-out steps, rising, evenly spaced quantiles. */
  readonly usual: readonly number[];
}

const FOOT = 18,
  GAP = 10,
  ALARM = "#d55e00";

/** Where scores are above a level, as steps of the series; what is closer together than `gap` is one stretch. */
export function marksOf(scores: Float32Array, level: number, first: number, gap: number): Stretch[] {
  const out: [number, number][] = [];
  for (let t = 0; t < scores.length; t++) {
    if (scores[t] <= level) continue;
    const last = out.at(-1);
    if (last && first + t - last[1] < gap) last[1] = first + t + 1;
    else out.push([first + t, first + t + 1]);
  }
  return out;
}

/** How many strange stretches are found, and how many marks are false: none within a window of `wide` steps behind one, where its echo is. */
export function judged(
  marks: readonly Stretch[],
  strange: readonly Stretch[],
  near: number,
  wide: number,
): { found: number; wrong: number } {
  const found = strange.filter(([begin, end]) => marks.some(([a, b]) => a < end + near && b > begin - near)).length;
  const wrong = marks.filter(([a, b]) => !strange.some(([begin, end]) => a < end + wide && b > begin - near)).length;
  return { found, wrong };
}

/** Which share of the held-out steps has no higher score. */
export function quietAt(usual: readonly number[], level: number): number {
  // Scores travel as float16, a threshold does not.
  return usual.filter((score) => score <= level * 1.001).length / usual.length;
}

export class LongSeries {
  readonly element = h("section", { class: "hg-lab-long", data: { testid: "lab-series" } });
  private readonly words = h("p", {
    class: "hg-lab-main",
    aria: { live: "polite" },
    data: { testid: "lab-series-verdict" },
  });
  private readonly canvas = h("canvas", {
    class: "hg-lab-series",
    tabIndex: 0,
    role: "slider",
    data: { testid: "lab-series-chart" },
    aria: { label: "Threshold of the score", orientation: "vertical" },
  });
  private readonly buttons = h("div", {
    class: "hg-lab-scores",
    role: "group",
    aria: { label: "Score of the series" },
  });
  private readonly list = h("p", { class: "hg-sum" });
  private values = new Float32Array();
  private methods: Scored[] = [];
  private chosen = 0;
  private level = 0;
  private strange: readonly Stretch[] | null = null;
  private given = 0;
  private near = 1;
  private wide = 1;
  private about = "";
  /** The highest score that is drawn, and the ends of the series. */
  private top = 1;
  private ends: readonly [low: number, high: number] = [0, 1];
  private dragged = false;
  private readonly watch = new ResizeObserver(() => this.draw());

  constructor(private readonly rested: () => void) {
    this.element.append(
      h("h3", {}, "A long series: where it went on otherwise than predicted"),
      this.words,
      this.buttons,
      this.canvas,
      this.list,
    );
    const drag = (event: PointerEvent) => {
      const box = this.canvas.getBoundingClientRect();
      this.moveTo(this.scoreAt(event.clientY - box.top));
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.dragged = true;
      drag(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.dragged) drag(event);
    });
    for (const end of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(end, () => {
        this.dragged = false;
      });
    this.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.2, PageDown: -0.2 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.moveTo(this.level + by * this.top);
    });
    this.watch.observe(this.canvas);
  }

  /** Shows a series; nothing where there is none. */
  open(data: Json | null, view: LabView): void {
    this.element.hidden = data === null;
    if (!data) return;
    const floats = (text: unknown) => new Float32Array(bytesOf(String(text)).buffer);
    this.values = floats(data["values"]);
    this.methods = (data["methods"] as Json[]).map((one) => ({
      name: String(one["name"]),
      title: String(one["title"]),
      threshold: Number(one["threshold"]),
      scores: floats(one["scores"]),
      usual: one["usual"] as number[],
    }));
    this.strange = data["strange"] as Stretch[] | null;
    [this.given, this.near, this.wide] = ["given", "near", "wide"].map((name) => Number(data[name]));
    this.about = String(objectOf(data)["words"]);
    this.chosen = Math.max(
      0,
      this.methods.findIndex(({ name }) => name === view["by"]),
    );
    this.measure();
    this.ends = [this.values.reduce((a, b) => Math.min(a, b)), this.values.reduce((a, b) => Math.max(a, b))];
    this.level = numberIn(view, "level", this.method.threshold, 0, this.top);
    const jump = press(
      `Where ${100 * Number(data["quiet"])} % of held-out steps are quiet`,
      "lab-series-usual",
      () => this.moveTo(this.method.threshold),
      "From held-out signals that belong, as in the lab Anomalies",
    );
    const each = this.methods.map(({ name, title }, i) => press(title, `lab-series-${name}`, () => this.choose(i)));
    this.buttons.replaceChildren(...each, jump);
    this.draw();
  }

  /** What the address says of it. */
  view(): LabView {
    if (this.element.hidden || !this.methods.length) return {};
    const usual = Math.abs(this.level - this.method.threshold) < 1e-6;
    return { by: this.chosen ? this.method.name : "", level: usual ? "" : this.level.toPrecision(4) };
  }

  end(): void {
    this.watch.disconnect();
  }

  private get method(): Scored {
    return this.methods[this.chosen];
  }

  private measure(): void {
    const { threshold, scores } = this.method;
    this.top = Math.max(1.6 * threshold, 1.05 * scores.reduce((a, b) => Math.max(a, b), 0));
  }

  private choose(index: number): void {
    this.chosen = index;
    this.measure();
    this.moveTo(this.method.threshold);
  }

  private moveTo(level: number): void {
    this.level = Math.min(this.top, Math.max(0, level));
    this.draw();
    this.rested();
  }

  /** Heights of the two panels: the series, and the scores below it. */
  private get panels(): readonly [number, number] {
    const tall = this.canvas.clientHeight - FOOT - GAP;
    return [0.58 * tall, 0.42 * tall];
  }

  private scoreAt(y: number): number {
    const [above, below] = this.panels;
    return this.top * (1 - (y - above - GAP) / below);
  }

  draw(): void {
    if (this.element.hidden || !this.methods.length || !this.canvas.clientWidth) return;
    const { scores, title, usual } = this.method;
    const marks = marksOf(scores, this.level, this.given, this.near);
    this.paint(marks);
    const steps = marks.reduce((sum, [a, b]) => sum + b - a, 0);
    const share = (100 * quietAt(usual, this.level)).toFixed(1);
    const many = marks.length === 1 ? "1 stretch is" : `${marks.length} stretches are`;
    let words = `${this.about[0].toUpperCase()}${this.about.slice(1)}: by ${title}, ${many} marked (${steps.toLocaleString("en")} of ${this.values.length.toLocaleString("en")} steps)`;
    if (this.strange) {
      const { found, wrong } = judged(marks, this.strange, this.near, this.wide);
      words += `; ${found} of the ${this.strange.length} that do not belong are found, with ${wrong} false ${wrong === 1 ? "mark" : "marks"}`;
    }
    words += `. At this threshold ${share} % of held-out steps are quiet.`;
    setText(this.words, words);
    for (const [name, value] of Object.entries({ valuemin: 0, valuemax: this.top, valuenow: this.level }))
      this.canvas.setAttribute(`aria-${name}`, value.toPrecision(4));
    this.canvas.setAttribute("aria-valuetext", words);
    const first = marks.slice(0, 12).map(([a, b]) => `${a + 1}–${b}`);
    setText(this.list, marks.length ? `Marked steps: ${first.join(", ")}${marks.length > 12 ? ", …" : ""}` : "");
    this.buttons.querySelectorAll("button").forEach((one, i) => {
      if (i < this.methods.length) one.setAttribute("aria-pressed", String(i === this.chosen));
    });
  }

  private paint(marks: readonly Stretch[]): void {
    const { canvas, values } = this;
    const scale = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const [wide, high] = [Math.round(scale * width), Math.round(scale * height)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const context = cpuContext(canvas),
      { ink } = themeOf(canvas.closest(".hg") ?? canvas);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const [above, below] = this.panels;
    const [low, most] = this.ends;
    const x = (t: number) => (width * t) / values.length,
      y = (value: number) => 4 + (above - 8) * (1 - (value - low) / (most - low || 1)),
      z = (score: number) => above + GAP + below * (1 - score / this.top);
    context.fillStyle = ink.line;
    for (const [a, b] of this.strange ?? []) context.fillRect(x(a), 0, Math.max(2, x(b) - x(a)), height - FOOT);
    const trace = (begin: number, end: number, at: (t: number) => number, colour: string, wide: number) => {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.lineJoin = "round";
      context.beginPath();
      for (let t = begin; t < end; t++) context.lineTo(x(t), at(t));
      context.stroke();
    };
    trace(0, values.length, (t) => y(values[t]), ink.text, 1);
    for (const [a, b] of marks)
      trace(Math.max(0, a - 1), Math.min(values.length, b + 1), (t) => y(values[t]), ALARM, 2);
    const score = (t: number) => z(this.method.scores[t - this.given]);
    trace(this.given, values.length, score, ink.faint, 1);
    context.setLineDash([6, 4]);
    context.strokeStyle = ink.accent;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(0, z(this.level));
    context.lineTo(width, z(this.level));
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = ink.faint;
    context.font = "12px system-ui, sans-serif";
    context.fillText(
      `threshold ${short(this.level)} × the usual error: drag it`,
      6,
      Math.max(above + GAP + 12, z(this.level) - 5),
    );
    context.fillText(this.strange ? "Grey: does not belong. Orange: marked." : "Orange: marked.", 6, height - 4);
  }
}
