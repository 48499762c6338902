/** Films: the frames that are given, how it went on, and below it what each method says, with a frame to drag through. */

import type { Json } from "../card";
import { cpuContext } from "../canvas";
import { h, setText } from "../dom";
import { toPixels } from "../paint";
import { Chart, colourIn, short, type Series } from "./chart";
import { downloads } from "./downloads";
import type { Lab, LabContext, LabView } from "./lab";
import { bytesOf, type Method } from "./sequences-answer";

interface Row {
  readonly name: string;
  readonly title: string;
  /** Bytes of the frames, film after film. */
  readonly pixels: Uint8Array;
}

const COLOURS: Readonly<Record<string, string>> = {
  network: "var(--accent)",
  kernel: "#d55e00",
  moved: "#009e73",
  ridge: "#b07aa1",
  neighbours: "#56b4e9",
};
const PACE = 160; // milliseconds that a frame is shown while the film plays

export class Films implements Lab {
  private asked = "";
  private rows: readonly Row[] = [];
  private methods: readonly Method[] = [];
  private shape: readonly number[] = [1, 1, 1];
  private given = 1;
  private rest = 1;
  private count = 0;
  private picked = 0;
  private step = 1;
  private timer = 0;
  private playing = 0;
  private readonly verdict = h("p", {
    class: "hg-lab-verdict",
    aria: { live: "polite" },
    data: { testid: "lab-verdict" },
  });
  private readonly chart = new Chart("Frame of the future", (step) => this.at(step), "horizon");
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly buttons = h("div", { class: "hg-lab-scores" });
  private readonly strips = h("div", { class: "hg-lab-films", data: { testid: "lab-films" } });

  constructor(
    private readonly host: HTMLElement,
    data: Json,
    view: LabView,
    private readonly context: LabContext,
  ) {
    const side = h("div", { class: "hg-lab-side" }, h("b", {}, "How wrong, so many frames ahead"));
    side.append(this.chart.element, this.legend, downloads(this.chart, "error-by-frame"));
    const figure = h("div", { class: "hg-lab-figure" }, this.buttons, this.strips);
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, figure, side));
    this.update(data, view);
  }

  update(data: Json, view: LabView): void {
    const asked = JSON.stringify([data["id"], view]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.stop();
    this.shape = data["shape"] as number[];
    [this.given, this.rest, this.count] = ["given", "rest", "count"].map((name) => Number(data[name]));
    this.rows = (data["rows"] as Json[]).map((one) => ({
      name: String(one["name"]),
      title: String(one["title"]),
      pixels: bytesOf(String(one["pixels"])),
    }));
    this.methods = data["methods"] as Method[];
    const number = (name: string, usual: number, most: number) => {
      const value = Math.round(Number(view[name]));
      return view[name] && Number.isFinite(value) ? Math.min(most, Math.max(0, value)) : usual;
    };
    this.picked = number("sample", 0, this.count - 1);
    this.step = Math.max(1, number("ahead", 1, this.rest));
    const press = (words: string, testid: string, click: () => void) =>
      h("button", { type: "button", data: { testid }, on: { click } }, words);
    this.buttons.replaceChildren(
      press("Another film", "lab-next", () => this.pick((this.picked + 1) % this.count)),
      press("Play", "lab-play", () => this.play()),
    );
    this.drawChart();
    this.draw();
    this.host.setAttribute("data-ready", "true");
  }

  private pick(index: number): void {
    this.picked = index;
    this.draw();
    this.tell();
  }

  private at(step: number): void {
    this.step = Math.round(step);
    this.mark();
    this.tell();
  }

  private play(): void {
    if (this.playing) return this.stop();
    this.step = 1;
    this.playing = window.setInterval(() => {
      if (this.step >= this.rest) this.stop();
      else this.step++;
      this.mark();
    }, PACE);
    this.mark();
  }

  private stop(): void {
    clearInterval(this.playing);
    this.playing = 0;
  }

  private drawChart(): void {
    const series: Series[] = this.methods
      .filter(({ name }) => name in COLOURS)
      .map(({ name, title, horizon }) => ({
        name,
        title,
        colour: colourIn(this.host, COLOURS[name]),
        main: name === "network",
        plain: true,
        points: horizon.map((error, i) => [i + 1, error] as const),
      }));
    const top = 1.08 * Math.max(...series.flatMap(({ points }) => points.map(([, error]) => error)));
    this.chart.draw(
      { title: "frames ahead", low: 1, high: this.rest },
      { title: "mean squared error", low: 0, high: top },
      series,
    );
    this.legend.replaceChildren(
      ...series.map(({ title, colour }) => {
        const mark = h("i", {});
        mark.style.background = colour;
        return h("span", {}, mark, title);
      }),
    );
  }

  /** Every row of frames of the film that is shown, and beside it the one frame large. */
  private draw(): void {
    this.strips.replaceChildren(
      ...this.rows.map((row) => {
        const frames = row.name === "given" ? this.given : this.rest;
        const canvas = this.frames(row, frames, 0, frames);
        canvas.classList.add("hg-lab-strip");
        const large = h("span", { class: "hg-lab-now" });
        large.dataset["row"] = row.name;
        return h(
          "figure",
          { class: "hg-lab-film", data: { row: row.name } },
          h("figcaption", {}, row.title),
          canvas,
          large,
        );
      }),
    );
    this.mark();
  }

  /** The frame that the handle stands at, large, and how wrong each method is there. */
  private mark(): void {
    for (const place of this.strips.querySelectorAll<HTMLElement>(".hg-lab-now")) {
      const row = this.rows.find(({ name }) => name === place.dataset["row"]);
      if (!row) continue;
      const frames = row.name === "given" ? this.given : this.rest;
      const frame = row.name === "given" ? this.given - 1 : this.step - 1;
      place.replaceChildren(this.frames(row, frames, frame, frame + 1));
    }
    const at = (name: string) => this.methods.find((one) => one.name === name)?.horizon[this.step - 1] ?? NaN;
    const told = ["network", "moved", "ridge", "kernel"].map((name) => {
      const title = this.methods.find((one) => one.name === name)?.title ?? name;
      return `${title} ${short(at(name))}`;
    });
    const words = `${this.step} ${this.step === 1 ? "frame" : "frames"} ahead, squared error over all test films: ${told.join(", ")}.`;
    setText(this.verdict, words);
    this.chart.place(this.step, words);
  }

  /** Some frames of a row side by side, in their own pixels. */
  private frames(row: Row, all: number, begin: number, end: number): HTMLCanvasElement {
    const [height, width, channels] = this.shape;
    const size = height * width * channels;
    const canvas = h("canvas", { width: (end - begin) * (width + 1) - 1, height });
    const context = cpuContext(canvas);
    for (let k = begin; k < end; k++) {
      const image = context.createImageData(width, height);
      toPixels(row.pixels, (this.picked * all + k) * size, this.shape, 1, image.data);
      context.putImageData(image, (k - begin) * (width + 1), 0);
    }
    return canvas;
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.context.report({
        sample: this.picked ? String(this.picked) : "",
        ahead: this.step === 1 ? "" : String(this.step),
      });
    }, 300);
  }

  end(): void {
    this.stop();
    clearTimeout(this.timer);
  }
}
