/** Where several methods put the same samples: point at one, and those that are most like it are marked on all maps. */

import { objectOf, type Json } from "../card";
import { classColours, cssColour, onPaper } from "../colours";
import { h, setText } from "../dom";
import { messageOf } from "../fault";
import { Network } from "../network/network";
import { Painter, type Sampled } from "../paint";
import { themeOf } from "../theme";
import { term } from "../tips";
import { Dots, nearest, type Place } from "./dots";
import type { Lab, LabContext, LabOf, LabView } from "./lab";

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

class Codes implements Lab {
  private answer: Answer | null = null;
  private asked = "";
  private picked = 0;
  private maps: { readonly dots: Dots; readonly near: readonly (readonly number[])[]; readonly words: HTMLElement }[] =
    [];
  private decoder: Network | null = null;
  private codes = new Float32Array(0);
  private size = 1;
  private painter: Painter | null = null;
  private pictures: readonly Sampled[] = [];
  private decoded: Float32Array | undefined;
  private timer = 0;
  private ended = false;

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

  constructor(
    private readonly host: HTMLElement,
    data: Json,
    view: LabView,
    private readonly context: LabContext,
  ) {
    const range = h("label", { class: "hg-lab-range" }, h("span", {}, "Test sample"), this.slider);
    host.append(this.grid, this.legend, this.words, this.strip, range);
    this.update(data, view);
    void this.load();
  }

  /** The run's decoder draws what is pointed at, of the stored codes. */
  private async load(): Promise<void> {
    try {
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
    } catch (error) {
      if (!this.ended) this.words.after(h("p", { role: "alert" }, messageOf(error)));
    }
  }

  update(data: Json, view: LabView): void {
    const asked = JSON.stringify([data["id"], view]);
    if (asked !== this.asked) {
      const again = this.asked !== "";
      this.asked = asked;
      this.build(objectOf(data) as unknown as Answer);
      const wanted = Math.round(Number(view["sample"] ?? 1)) - 1;
      this.picked = Math.min(this.count - 1, Math.max(0, Number.isFinite(wanted) ? wanted : 0));
      this.slider.value = String(this.picked + 1);
      if (again) this.rest();
    }
    this.paint();
    this.draw();
    this.host.setAttribute("data-ready", "true");
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
      ...answer.classes.flatMap((name, label) => {
        if (!answer.labels.includes(label)) return [];
        const mark = h("i", {});
        mark.style.background = colours[label];
        return [h("span", {}, mark, name)];
      }),
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
    painter.ink = themeOf(this.host).ink.text;
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

  private rest(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.context.report({ sample: this.picked ? String(this.picked + 1) : "" });
    }, 300);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }
}
