/** Where several methods put the same samples: point at one, and those that are most like it are marked on all maps. */

import { objectOf, type Json } from "../card";
import { classColours, cssColour, onPaper } from "../colours";
import { h, setText } from "../dom";
import { Network } from "../network/network";
import { Painter, type Sampled } from "../paint";
import { themeOf } from "../theme";
import { term } from "../tips";
import { Dots, nearest, type Place } from "./dots";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { keysOf, numberIn } from "./parts";

interface Method {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** The mean over all measured samples, as it is written. */
  readonly figure: string;
  readonly points: readonly Place[];
}

interface Answer {
  readonly maps: readonly Method[];
  /** Of each sample its place among the run's codes, its label, and the samples that are most like it. */
  readonly places: readonly number[];
  readonly labels: readonly number[];
  readonly like: readonly (readonly number[])[];
  readonly classes: readonly string[];
  readonly colours: readonly string[];
}

export const codes: LabOf = (host, data, view, context) => new Codes(host, data, view, context);

class Codes extends Showing<Answer> {
  private answer: Answer | null = null;
  private picked = 0;
  private maps: { readonly dots: Dots; readonly near: readonly (readonly number[])[]; readonly words: HTMLElement }[] =
    [];
  private decoder: Network | null = null;
  private codes = new Float32Array(0);
  private size = 1;
  private painter: Painter | null = null;
  private pictures: readonly Sampled[] = [];
  private decoded: Float32Array | undefined;

  private readonly grid = h("div", { class: "hg-lab-maps" });
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly words = h("p", { aria: { live: "polite" }, data: { testid: "lab-neighbours" } });
  private readonly strip = h("div", { class: "hg-lab-thumbs" });
  private readonly slider = h("input", {
    type: "range",
    min: "1",
    step: "1",
    data: { testid: "lab-sample" },
    aria: { label: "Test sample" },
    on: { input: () => this.pick(Number(this.slider.value) - 1) },
  });

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    const range = h("label", { class: "hg-lab-range" }, h("span", {}, "Test sample"), this.slider);
    host.append(this.grid, this.legend, this.words, this.strip, range);
    this.update(data, view);
    this.attempt(this.load(), this.words);
  }

  /** The run's decoder draws what is pointed at, of the stored codes. */
  private async load(): Promise<void> {
    const { folder } = this.context;
    const card = await folder.card();
    const [decoder, all] = await Promise.all([
      Network.load(folder, card, "decoder"),
      folder.floats("codes.f32", card.codes.count * card.codes.size),
    ]);
    if (this.ended) return;
    [this.codes, this.size] = [all, card.codes.size];
    this.painter = new Painter({ kind: card.dataset.kind, shape: card.dataset.shape });
    this.decoder = decoder;
    this.draw();
  }

  protected read(data: Json): Answer {
    return objectOf(data) as unknown as Answer;
  }

  protected open(answer: Answer, view: LabView): void {
    this.build(answer);
    this.picked = Math.round(numberIn(view, "sample", 1, 1, this.count)) - 1;
    this.slider.value = String(this.picked + 1);
    this.inked();
    this.ready();
  }

  protected override inked(): void {
    this.paint();
    this.draw();
  }

  private get count(): number {
    return this.answer?.labels.length ?? 0;
  }

  private build(answer: Answer): void {
    this.answer = answer;
    this.slider.max = String(answer.labels.length);
    const alike = answer.like[0]?.length ?? 0;
    this.maps = answer.maps.map(({ points }) => ({
      dots: new Dots(points, (index) => this.pick(index)),
      near: nearest(points, alike),
      words: h("small", {}),
    }));
    this.grid.replaceChildren(
      ...answer.maps.map(({ name, title, about, figure }, i) => {
        const { dots, words } = this.maps[i];
        dots.canvas.dataset["testid"] = `lab-map-${name}`;
        dots.canvas.setAttribute("role", "img");
        dots.canvas.setAttribute("aria-label", `${title}: where it puts ${answer.labels.length} test samples`);
        const caption = h("figcaption", {}, term(title, about), h("span", {}, `trustworthiness ${figure}`));
        return h("figure", { class: i ? "" : "hg-lab-main" }, caption, dots.canvas, words);
      }),
    );
  }

  /** Dots and legend in the colours of the classes, as they stand out from this page. */
  private paint(): void {
    const { answer } = this;
    if (!answer) return;
    const { ground, grey, ink } = themeOf(this.host);
    const colours = classColours(answer.classes.length, answer.colours).map((one) => cssColour(onPaper(one, ground)));
    const dots = answer.labels.map((label) => colours[label] ?? cssColour(grey));
    for (const map of this.maps) map.dots.paint(dots, ink);
    this.legend.replaceChildren(
      ...keysOf(
        answer.classes
          .map((title, label) => ({ title, colour: colours[label] }))
          .filter((_, label) => answer.labels.includes(label)),
      ),
    );
  }

  private pick(index: number): void {
    if (index === this.picked || index < 0 || index >= this.count) return;
    const begun = performance.now();
    this.picked = index;
    this.slider.value = String(index + 1);
    this.draw();
    performance.measure("lab:draw", { start: begun, end: performance.now() });
    this.rest();
  }

  private draw(): void {
    const { answer, picked } = this;
    if (!answer?.labels.length) return;
    const like = answer.like[picked];
    for (const { dots, near, words } of this.maps) {
      dots.mark(picked, like);
      const count = like.filter((other) => near[picked].includes(other)).length;
      setText(words, `${count} of ${like.length} are among its ${like.length} nearest`);
    }
    const label = answer.labels[picked];
    const name = label < 0 ? "" : ` (${answer.classes[label]})`;
    setText(
      this.words,
      `Lines lead from test sample ${picked + 1}${name} to the ${like.length} that are most like it. Point at another dot.`,
    );
    this.drawPictures([picked, ...like]);
  }

  private drawPictures(shown: readonly number[]): void {
    const { answer, decoder, painter } = this;
    if (!answer || !decoder || !painter) return;
    painter.ink = this.ink;
    if (this.pictures.length !== shown.length) {
      this.pictures = shown.map(() => painter.canvas("hg-lab-thumb"));
      const words = h("span", {}, "What the run's decoder makes of it, and of those most like it:");
      this.strip.replaceChildren(words, ...this.pictures);
    }
    shown.forEach((sample, i) => {
      const at = answer.places[sample] * this.size;
      this.decoded = decoder.run(this.codes.subarray(at, at + this.size), this.decoded);
      painter.paint(this.pictures[i], this.decoded);
    });
  }

  protected view(): LabView {
    return { sample: this.picked ? String(this.picked + 1) : "" };
  }
}
