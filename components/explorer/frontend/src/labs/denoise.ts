/** A noisy sample that a run cleans while a pen moves, a classifier that reads it before and after, and how methods compare. */

import type { Json } from "../card";
import { h, setText } from "../dom";
import { Network } from "../network/network";
import type { Sampled } from "../paint";
import { Bars, type Column } from "./bars";
import { readAnswer, type Answer, type Measured } from "./denoise-answer";
import { Controls, type Live } from "./denoise-controls";
import { Examples } from "./denoise-examples";
import { downloads } from "./downloads";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { ImagePad, sampleCanvas, ValuePad, type Pad } from "./pads";
import { numberIn, press } from "./parts";
import { drawsOf, median, reading, spoil, type Draws } from "./spoiling";

const COLUMNS: readonly (Column & { readonly key: "read" | "psnr" | "ssim" })[] = [
  {
    key: "read",
    title: "read correctly",
    about: "The share of the samples whose class a classifier finds. It learnt from clean samples.",
    say: (value) => `${(100 * value).toFixed(1)} %`,
  },
  {
    key: "psnr",
    title: "PSNR in dB",
    about: "The squared error on a logarithmic scale: 10 more is a tenth of it.",
    say: (value) => value.toFixed(1),
  },
  {
    key: "ssim",
    title: "SSIM",
    about: "How alike edges and textures are: 1 for the same image.",
    say: (value) => value.toFixed(2),
  },
];

export const denoise: LabOf = (host, data, view, context) => new Denoise(host, data, view, context);

interface Shown {
  readonly element: HTMLElement;
  readonly canvas: Sampled;
  readonly words: HTMLElement;
}

class Denoise extends Showing<Answer> {
  private answer: Answer | null = null;
  private networks: { readonly encoder: Network; readonly decoder: Network } | null = null;
  private pad: Pad | null = null;
  private draws: Draws | null = null;
  private drawsOfSeed = -1;
  private live: Live = { noise: "none", level: 0, seed: 1 };
  private picked = 0;
  /** Which of the measured noises the table is about, and by which column. */
  private measured = 0;
  private column = 0;
  private input = new Float32Array(0);
  private filtered = new Float32Array(0);
  private decoded: Float32Array | undefined;
  /** What is shown as it was: it is painted and read once. */
  private clean: Float32Array | null = null;
  private shown: { clean: Shown; filter: Shown | null; cleaned: Shown } | null = null;
  private frame = 0;
  private begun = 0;

  private readonly stage = h("div", { class: "hg-lab-stage" });
  private readonly before = h("figcaption", { data: { testid: "lab-before" } });
  /** What is better than the filter that is quick enough to be drawn here. */
  private readonly stronger = h("small", { data: { testid: "lab-stronger" } });
  private readonly controls: Controls;
  private readonly tabs = h("div", {
    class: "hg-lab-scores",
    role: "group",
    aria: { label: "Noise that was measured" },
  });
  private readonly bars = new Bars((column) => this.compare(column));
  private readonly examples = new Examples();

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    this.controls = new Controls({
      picked: (index) => this.pick(index),
      changed: () => this.changed(performance.now()),
      cleared: () => this.clear(),
    });
    const left = h("div", { class: "hg-lab-figure" }, this.stage, this.controls.element);
    const right = h("div", { class: "hg-lab-side" }, this.tabs, this.bars.element, this.examples.element);
    right.append(downloads(this.bars, "denoising"));
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, left, right));
    this.update(data, view);
    this.attempt(this.load());
  }

  private async load(): Promise<void> {
    const { folder } = this.context;
    const card = await folder.card();
    const [encoder, decoder] = await Promise.all([
      Network.load(folder, card, "encoder"),
      Network.load(folder, card, "decoder"),
    ]);
    if (this.ended) return;
    this.networks = { encoder, decoder };
    this.changed(performance.now());
  }

  protected read(data: Json): Promise<Answer> {
    return readAnswer(data);
  }

  protected override inked(): void {
    const { answer, pad } = this;
    if (!answer || !pad) return;
    pad.painter.ink = this.ink;
    this.clean = null;
    this.controls.paint(answer);
    this.drawTable();
    this.changed(performance.now());
  }

  protected open(answer: Answer, view: LabView): void {
    this.answer = answer;
    const number = (name: string, usual: number, most: number) => numberIn(view, name, usual, 0, most);
    const named = answer.noises.findIndex(({ name }) => name === view["measured"]);
    this.measured = Math.max(0, named);
    const columns = this.columns(answer);
    this.column = Math.max(
      0,
      columns.findIndex(({ key }) => key === view["by"]),
    );
    this.picked = Math.round(number("sample", 0, answer.originals.length - 1));
    this.build(answer);
    this.controls.open(answer, this.pad, this.picked);
    this.live = this.controls.live;
    this.wear(answer.noises[this.measured]);
    this.live.noise = this.controls.known(view["noise"]) ?? this.live.noise;
    this.live.level = number("level", this.live.level, 1);
    if (this.pad instanceof ImagePad && view["text"] !== undefined) {
      this.pad.text = view["text"].slice(0, 16);
      this.pad.strength = number("strength", this.pad.strength, 1);
      this.pad.size = number("size", this.pad.size, 1);
    }
    this.controls.read();
    this.drawTable();
    this.changed(performance.now());
  }

  private columns(answer: Answer): typeof COLUMNS {
    return COLUMNS.filter(({ key }) => answer.noises[0].methods.some((method) => method[key] !== null));
  }

  private build(answer: Answer): void {
    const heard = {
      drawn: (begun: number) => this.changed(begun),
      rested: () => this.rest(),
    };
    const { kind, shape, fit } = answer;
    this.pad = kind === "image" ? new ImagePad(shape, fit, heard) : new ValuePad(kind, shape, heard);
    const { painter } = this.pad;
    painter.ink = this.ink;
    this.input = new Float32Array(answer.size);
    this.filtered = new Float32Array(answer.size);
    this.clean = null;
    const one = (title: string, testid: string): Shown => {
      const canvas = sampleCanvas(painter, "hg-lab-picture");
      canvas.dataset["testid"] = testid;
      const words = h("figcaption", { data: { testid: `${testid}-read` } });
      return { canvas, words, element: h("figure", { class: "hg-lab-cell" }, h("b", {}, title), canvas, words) };
    };
    const clean = one("as it was", "lab-clean"),
      filter = kind === "image" ? one("median filter, 3 × 3", "lab-median") : null,
      cleaned = one("cleaned by this run", "lab-cleaned");
    this.shown = { clean, filter, cleaned };
    const noisy = h("figure", { class: "hg-lab-cell" }, h("b", {}, "with noise: use the pen here"), this.pad.element);
    noisy.append(this.before);
    if (filter) cleaned.element.append(this.stronger);
    const small = h("div", { class: "hg-lab-small" }, clean.element, filter && filter.element);
    this.stage.classList.toggle("hg-lab-wide", kind !== "image");
    this.stage.replaceChildren(noisy, cleaned.element, small);
    this.tabs.replaceChildren(
      ...answer.noises.map(({ title, name }, i) => press(title, `lab-noise-${name}`, () => this.choose(i))),
    );
    this.tabs.hidden = answer.noises.length < 2;
  }

  /** Puts the noise that was measured on the sample. */
  private wear({ name, level }: Measured): void {
    const { pad, live } = this;
    [live.noise, live.level] = ["none", level];
    pad?.clear();
    if (pad instanceof ImagePad) {
      pad.text = "";
      if (name.startsWith("watermark")) {
        [pad.text, pad.strength] = [name === "watermark" ? "COPY" : "DRAFT", level];
        pad.centre();
      }
      if (name === "strokes") pad.scribble(live.seed);
    }
    live.noise = this.controls.known(name) ?? live.noise;
  }

  private readonly choose = (index: number): void => {
    if (!this.answer) return;
    this.measured = index;
    this.wear(this.answer.noises[index]);
    this.controls.read();
    this.drawTable();
    this.changed(performance.now());
    this.rest();
  };

  private compare(column: number): void {
    this.column = column;
    this.drawTable();
    this.rest();
  }

  private drawTable(): void {
    const { answer } = this;
    if (!answer || !this.pad) return;
    const measured = answer.noises[this.measured];
    const columns = this.columns(answer);
    [...this.tabs.children].forEach((tab, i) => tab.setAttribute("aria-pressed", String(i === this.measured)));
    const rows = measured.methods.map((method) => ({
      title: method.title,
      about: [method.library, method.setting].filter(Boolean).join(", "),
      main: method.name === "run",
      values: columns.map(({ key }) => method[key]),
    }));
    this.bars.draw(columns, rows, this.column);
    this.examples.draw(answer, this.measured, this.picked, this.pad.painter);
    const column = columns[this.column];
    const { key } = column;
    const others = measured.methods.filter(({ name }) => !["run", "noisy", "plain"].includes(name));
    const best = others.reduce((a, b) => ((b[key] ?? -Infinity) > (a[key] ?? -Infinity) ? b : a));
    const value = best[key];
    setText(
      this.stronger,
      best.name === "median" || value === null ? "" : `The best of the others: ${best.title}, ${column.say(value)}`,
    );
    setText(this.verdict, measured.verdict);
  }

  private pick(index: number): void {
    this.picked = index;
    if (this.pad instanceof ImagePad && this.pad.pen === "draw") this.pad.pen = "light";
    this.controls.read();
    this.drawTable();
    this.changed(performance.now());
  }

  private clear(): void {
    this.pad?.clear();
    if (this.pad instanceof ImagePad) {
      this.pad.text = "";
      this.pad.blank();
    }
    this.live.noise = "none";
    this.controls.read();
    this.changed(performance.now());
  }

  /** Something is to be shown anew, in the next frame. begun: when the event came. */
  private changed(begun: number): void {
    if (!this.frame) {
      this.begun = begun;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
        performance.measure("lab:draw", { start: this.begun, end: performance.now() });
      });
    }
    this.rest();
  }

  /** The sample through noise and pen, the run and the classifier. */
  private draw(): void {
    const { answer, pad, shown, live, input } = this;
    if (!answer || !pad || !shown) return;
    if (this.drawsOfSeed !== live.seed) {
      this.draws = drawsOf({ image: answer.kind === "image", shape: answer.shape }, live.seed);
      this.drawsOfSeed = live.seed;
    }
    const drawing = pad instanceof ImagePad && this.controls.drawing ? pad : null;
    const clean = drawing ? drawing.drawn() : answer.originals[this.picked];
    const label = drawing ? -1 : answer.labels[this.picked];
    input.set(clean);
    pad.spoil(input);
    if (this.draws)
      spoil(input, { image: answer.kind === "image", shape: answer.shape }, live.noise, live.level, this.draws);
    // While somebody draws without noise, what lies under the pen is shown; the network gets it as large as its own images are.
    const bare = drawing?.pen === "draw" && live.noise === "none" && !drawing.text;
    pad.show(bare ? drawing.raw() : input);
    const says = (values: Float32Array) => this.says(answer, values, label);
    if (this.clean !== clean) {
      this.clean = clean;
      pad.painter.paint(shown.clean.canvas, clean);
      this.say(shown.clean.words, says(clean));
    }
    this.say(this.before, says(input));
    if (shown.filter) {
      median(input, answer.shape, this.filtered);
      pad.painter.paint(shown.filter.canvas, this.filtered);
      this.say(shown.filter.words, says(this.filtered));
    }
    if (!this.networks) return;
    this.decoded = this.networks.decoder.run(this.networks.encoder.run(input), this.decoded);
    const cleaned = (shown.cleaned.canvas.sample = this.decoded);
    pad.painter.paint(shown.cleaned.canvas, cleaned);
    this.say(shown.cleaned.words, says(cleaned));
    this.ready();
  }

  /** What the classifier reads, and whether that is right, where that is known. */
  private says({ reader, classes }: Answer, values: Float32Array, label: number): readonly [string, string] {
    if (!reader || !values.some((value) => value !== 0)) return ["", ""]; // nothing is there to be read
    const { label: read, sure } = reading(reader.run(values, 1, new Float32Array(reader.outputs)));
    const mark = label < 0 ? "" : read === label ? "right" : "wrong";
    return [`read as ${classes[read]}, ${(100 * sure).toFixed(0)} % sure${mark && `: ${mark}`}`, mark];
  }

  private say(element: HTMLElement, [words, mark]: readonly [string, string]): void {
    setText(element, words);
    element.className = mark === "right" ? "hg-lab-good" : mark === "wrong" ? "hg-lab-bad" : "";
  }

  protected view(): LabView | null {
    const { answer, live, pad } = this;
    if (!answer) return null;
    const text = pad instanceof ImagePad ? pad.text : "";
    return {
      measured: this.measured ? answer.noises[this.measured].name : "",
      by: this.column ? this.columns(answer)[this.column].key : "",
      sample: this.picked ? String(this.picked) : "",
      noise: live.noise,
      level: live.level.toPrecision(2),
      text,
      strength: text && pad instanceof ImagePad ? pad.strength.toPrecision(2) : "",
      size: text && pad instanceof ImagePad ? pad.size.toPrecision(2) : "",
    };
  }

  override end(): void {
    super.end();
    cancelAnimationFrame(this.frame);
  }
}
