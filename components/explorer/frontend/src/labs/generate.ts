/** New samples from a run: a sheet that changes while settings move, one of them large, and how far they are from real ones. */

import type { Json, RunCard } from "../card";
import { RunData } from "../data";
import { choice, h, setText } from "../dom";
import { Network } from "../network/network";
import { Painter, type Sampled } from "../paint";
import { addStyles } from "../styles";
import { short } from "./chart";
import { componentsOf, effect, readAnswer, type Answer } from "./generate-answer";
import { bit, Draws, Stored, type Settings } from "./generate-draws";
import { DistanceFigure } from "./generate-figure";
import { Sheet } from "./generate-sheet";
import css from "./generate.css?inline";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { numberIn, press, slider } from "./parts";

const SAMPLES = 64;
const HOTTEST = 1.5;
/** Stored samples with codes nearest to a drawn one, of which the nearest picture is looked for. */
const CANDIDATES = 50;

export const generate: LabOf = (host, data, view, context) => new Generate(host, data, view, context);

class Generate extends Showing<Answer> {
  private answer: Answer | null = null;
  private card: RunCard | null = null;
  private decoder: Network | null = null;
  private data: RunData | null = null;
  private stored: Stored | null = null;
  private painter = new Painter({ kind: "image", shape: [1, 1, 1] });
  private draws: Draws | null = null;
  private settings: Settings = { way: "", label: -1, temperature: 1, attribute: -1, step: 1 };
  private seed = 1;
  /** The sample that is shown large, and the one that it becomes; equal where there is none. */
  private picked: readonly [number, number] = [0, 0];
  private morph = 0;
  private readonly code: { now: Float32Array<ArrayBuffer>; to: Float32Array<ArrayBuffer> } = {
    now: new Float32Array(0),
    to: new Float32Array(0),
  };
  private decoded: Float32Array | undefined;

  private readonly controls = h("div", { class: "hg-lab-controls" });
  private readonly sheet = new Sheet(
    SAMPLES,
    (i, canvas) => this.paintCell(i, canvas),
    (i) => this.pick(i),
  );
  private readonly large = h("div", { class: "hg-lab-cells hg-lab-large" });
  private readonly words = h("p", { class: "hg-lab-note", data: { testid: "lab-copy" } });
  private readonly measured = h("p", { class: "hg-lab-note", data: { testid: "lab-effect" } });
  private readonly about = h("p", { class: "hg-lab-note", data: { testid: "lab-way" } });
  private readonly figure = new DistanceFigure((components) => this.mixtureOf(components));
  private readonly heat = slider("Temperature", "lab-temperature", [0, HOTTEST, 0.02], (value) =>
    this.set({ temperature: value }),
  );
  private readonly push = slider("More or less of it", "lab-step", [-2, 2, 0.05], (value) => this.set({ step: value }));
  private readonly becoming = slider("From one to the other", "lab-morph", [0, 1, 0.01], (value) => {
    this.morph = value;
    this.drawLarge();
    this.rest();
  });
  private canvases: readonly [drawn: Sampled, real: Sampled] | null = null;

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    addStyles(host, css, "hourglass-generate-style");
    const left = h("div", { class: "hg-lab-figure" }, this.controls, this.sheet.element);
    const side = h("div", { class: "hg-lab-side" }, this.about, this.large, this.becoming.element, this.figure.element);
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, left, side));
    this.update(data, view);
    this.attempt(this.load());
  }

  private async load(): Promise<void> {
    const { folder } = this.context;
    const card = await folder.card();
    const decoder = await Network.load(folder, card, "decoder");
    if (this.ended) return;
    [this.card, this.decoder] = [card, decoder];
    this.painter = new Painter(card.dataset);
    this.begin();
    const data = new RunData(folder, card, () => undefined);
    await data.load();
    await data.loadOriginals();
    if (this.ended || !this.answer) return;
    const { train } = this.answer;
    this.data = data;
    this.stored = new Stored(data.codes, data.labels, (i) => bit(train, i), card.codes.count);
    this.changed();
  }

  protected read(data: Json): Answer {
    return readAnswer(data);
  }

  protected open(answer: Answer, view: LabView): void {
    this.answer = answer;
    const number = (name: string, usual: number, low: number, high: number) => numberIn(view, name, usual, low, high);
    const ours = answer.ways.filter((one) => one.ours);
    const way = ours.some(({ name }) => name === view["way"]) ? String(view["way"]) : answer.chosen;
    this.settings = {
      way,
      label: answer.classes.indexOf(view["class"] ?? ""),
      temperature: number("temperature", 1, 0, HOTTEST),
      attribute: answer.attributes.findIndex(({ name }) => name === view["attribute"]),
      step: number("step", 1, answer.attributes.some((one) => one.class) ? 0 : -2, 2),
    };
    this.seed = Math.round(number("seed", 1, 1, 1e6));
    const [from, to] = [number("sample", 1, 1, SAMPLES), number("into", 0, 0, SAMPLES)].map(
      (one) => Math.round(one) - 1,
    );
    this.picked = [from, to < 0 ? from : to];
    this.morph = number("morph", 0, 0, 1);
    this.figure.draw(answer);
    this.build(answer);
    this.begin();
  }

  /** Once both the answer and the decoder are here. */
  private begin(): void {
    const { answer, card, painter } = this;
    if (!answer || !card || !this.decoder) return;
    this.code.now = new Float32Array(card.codes.size);
    this.code.to = new Float32Array(card.codes.size);
    this.draws = new Draws(this.seed, SAMPLES, card.codes.size);
    this.sheet.build(painter);
    const [drawn, real] = ["drawn", "nearest training sample"].map((title) => {
      const canvas = painter.canvas("hg-lab-picture");
      return { canvas, element: h("figure", { class: "hg-lab-cell" }, h("figcaption", {}, title), canvas) };
    });
    drawn.canvas.dataset["testid"] = "lab-drawn";
    real.canvas.dataset["testid"] = "lab-nearest";
    const wide = card.dataset.kind === "image" ? "" : "hg-lab-wide";
    for (const element of [this.sheet.element, this.large]) element.classList.toggle("hg-lab-wide", wide !== "");
    this.large.replaceChildren(drawn.element, real.element, this.words);
    this.canvases = [drawn.canvas, real.canvas];
    this.inked();
    this.ready();
  }

  /** Lines and bars are painted in the ink of the page. */
  protected override inked(): void {
    this.painter.ink = this.ink;
    if (this.draws) this.changed();
  }

  private build(answer: Answer): void {
    const { settings } = this;
    const ways = answer.ways.filter(({ ours }) => ours).map(({ name, title }) => [name, title] as const);
    const way = choice("Drawn from", ways, settings.way, (value) => this.set({ way: value }), "lab-draw-from");
    const label = choice(
      "Class",
      [["-1", "all"], ...answer.classes.map((name, i) => [String(i), name] as const)],
      String(settings.label),
      (value) => this.set({ label: Number(value) }),
      "lab-class",
    );
    const attribute = choice(
      answer.attributes.some((one) => one.class) ? "Towards a class" : "Change a factor",
      [["-1", "nothing"], ...answer.attributes.map(({ name }, i) => [String(i), name] as const)],
      String(settings.attribute),
      (value) => this.set({ attribute: Number(value) }),
      "lab-attribute",
    );
    const again = () => {
      this.seed = (this.seed % 1e6) + 1;
      if (this.card) this.draws = new Draws(this.seed, SAMPLES, this.card.codes.size);
      this.set({});
    };
    this.controls.replaceChildren(
      way,
      ...(answer.classes.length ? [label] : []),
      this.heat.element,
      press("Draw again", "lab-again", again, "Other random numbers"),
      ...(answer.attributes.length ? [attribute, this.push.element, this.measured] : []),
    );
    this.told();
  }

  private set(change: Partial<Settings>): void {
    const begun = performance.now();
    this.settings = { ...this.settings, ...change };
    this.told();
    this.changed(begun);
    this.rest();
  }

  private mixtureOf(components: number): void {
    const way = this.answer?.ways.find(({ name }) => componentsOf(name) === components)?.name;
    if (!way || way === this.settings.way) return;
    const select = this.controls.querySelector<HTMLSelectElement>('[data-testid="lab-draw-from"]');
    if (select) select.value = way;
    this.set({ way });
  }

  /** What does not need a decoder: the sliders, and words on what is chosen. */
  private told(): void {
    const { answer, settings } = this;
    if (!answer) return;
    const { way, label, temperature, attribute, step } = settings;
    setText(this.verdict, answer.verdict);
    this.heat.input.value = String(temperature);
    this.heat.say(temperature.toFixed(2));
    this.push.input.value = String(step);
    this.push.say(step.toFixed(2));
    this.push.element.hidden = this.measured.hidden = attribute < 0;
    const chosen = answer.attributes.at(attribute);
    this.push.input.min = chosen?.class ? "0" : "-2";
    if (attribute >= 0 && chosen) setText(this.measured, effect(chosen, Math.max(Number(this.push.input.min), step)));
    const one = answer.ways.find(({ name }) => name === way);
    if (!one) return;
    const share = (value: number) => `${Math.round(100 * value)} %`;
    const classed = way === "kernel" || answer.densities.get(way)?.classed;
    const words =
      `${one.title}${one.setting ? ` (${one.setting})` : ""}: ${short(one.distance)} from real samples at temperature 1, ` +
      `${short(one.distance / Math.max(answer.floor, 1e-9))} times what real ones are from each other. ` +
      `${share(one.precision)} look real (precision), ${share(one.recall)} of the real ones are covered (recall)` +
      `${one.copies === null ? "" : `, ${share(one.copies)} are near copies`}.` +
      (label >= 0 && !classed ? " It knows nothing of classes, so all are drawn." : "");
    setText(this.about, words);
    const components = componentsOf(way);
    this.figure.place(components ?? 1, components === null ? `${one.title} is chosen` : words);
  }

  private writeCode(i: number, out: Float32Array): void {
    if (this.draws && this.answer) this.draws.write(out, i, this.answer, this.settings, this.stored);
  }

  private paintCell(i: number, canvas: Sampled): void {
    if (!this.decoder) return;
    this.writeCode(i, this.code.now);
    this.decoded = canvas.sample = this.decoder.run(this.code.now, this.decoded);
    this.painter.paint(canvas, this.decoded);
  }

  private changed(begun?: number): void {
    this.sheet.changed(begun);
    this.drawLarge();
  }

  private pick(i: number): void {
    const [from, to] = this.picked;
    // The first click shows a sample, the next one what it becomes, a third begins anew.
    this.picked = from === to && i !== from ? [from, i] : [i, i];
    this.morph = this.picked[0] === this.picked[1] ? 0 : 0.5;
    this.drawLarge();
    this.rest();
  }

  /** The sample that was clicked, on its way to another, and the training sample that is nearest to it. */
  private drawLarge(): void {
    const { answer, decoder, canvases, morph, code } = this;
    const [from, to] = this.picked;
    this.sheet.mark(this.picked);
    this.becoming.element.hidden = from === to;
    this.becoming.input.value = String(morph);
    this.becoming.say(`${Math.round(100 * morph)} %`);
    if (!answer || !decoder || !canvases) return;
    const mixed = new Float32Array(code.now.length);
    this.writeCode(from, mixed);
    this.writeCode(to, code.to);
    for (let d = 0; d < mixed.length; d++) mixed[d] += morph * (code.to[d] - mixed[d]);
    const sample = (canvases[0].sample = decoder.run(mixed));
    this.painter.paint(canvases[0], sample);
    this.compare(mixed, sample, answer, canvases[1]);
  }

  private compare(code: Float32Array, sample: Float32Array, answer: Answer, canvas: Sampled): void {
    const { data } = this;
    const found = data?.finder?.nearest(code, CANDIDATES, (i) => bit(answer.train, i)) ?? [];
    let best = Infinity,
      place = -1;
    for (const { index } of found) {
      const real = data?.original(index);
      if (!real || real.length !== sample.length) continue;
      let sum = 0;
      for (let i = 0; i < real.length; i++) sum += (real[i] - sample[i]) ** 2;
      if (sum < best) [best, place] = [sum, index];
    }
    const real = place < 0 ? null : (data?.original(place) ?? null);
    canvas.parentElement!.hidden = real === null;
    if (!real || !data) return setText(this.words, "Click two samples to see one become the other.");
    this.painter.paint(canvas, real);
    const apart = Math.sqrt(best / sample.length);
    const copy = apart < answer.close;
    this.words.classList.toggle("hg-lab-copy", copy);
    const named = data.className(place);
    setText(
      this.words,
      `${apart.toFixed(3)} from the nearest of ${data.card.codes.count.toLocaleString("en")} samples that are kept here${named ? `, “${named}”` : ""}: ` +
        (copy ? "all but a copy" : "no copy") +
        ` (99 of 100 real samples that it never saw are further than ${answer.close.toFixed(3)}). ` +
        (this.picked[0] === this.picked[1] ? "Click another sample to see this one become it." : ""),
    );
  }

  protected view(): LabView | null {
    const { answer, settings, seed, picked, morph } = this;
    if (!answer) return null;
    const { way, label, temperature, attribute, step } = settings;
    return {
      way: way === answer.chosen ? "" : way,
      class: answer.classes[label] ?? "",
      temperature: temperature === 1 ? "" : temperature.toFixed(2),
      attribute: answer.attributes[attribute]?.name ?? "",
      step: attribute < 0 || step === 1 ? "" : step.toFixed(2),
      seed: seed === 1 ? "" : String(seed),
      sample: picked[0] ? String(picked[0] + 1) : "",
      into: picked[0] === picked[1] ? "" : String(picked[1] + 1),
      morph: picked[0] === picked[1] ? "" : morph.toFixed(2),
    };
  }

  override end(): void {
    super.end();
    this.sheet.end();
  }
}
