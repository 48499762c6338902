/** Films: the frames that are given, how it went on, and below it what each method says, with a frame to drag through. */

import type { Json } from "../card";
import { cpuContext } from "../canvas";
import { h, setText } from "../dom";
import { toPixels } from "../paint";
import { Chart, short, type Series } from "./chart";
import { downloads } from "./downloads";
import { Showing, type LabContext, type LabView } from "./lab";
import { bytesOf, keysOf, numberIn, press } from "./parts";
import type { Method } from "./sequences-answer";

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

export class Films extends Showing<Json> {
  private rows: readonly Row[] = [];
  private methods: readonly Method[] = [];
  private shape: readonly number[] = [1, 1, 1];
  private given = 1;
  private steps = 1;
  private count = 0;
  private picked = 0;
  private step = 1;
  private playing = 0;
  private readonly chart = new Chart("Frame of the future", (step) => this.at(step), "horizon");
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly buttons = h("div", { class: "hg-lab-scores" });
  private readonly toPlay = press("Play", "lab-play", () => this.play());
  private readonly strips = h("div", { class: "hg-lab-films", data: { testid: "lab-films" } });

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    const side = h("div", { class: "hg-lab-side" }, h("b", {}, "How wrong, so many frames ahead"));
    side.append(this.chart.element, this.legend, downloads(this.chart, "error-by-frame"));
    const figure = h("div", { class: "hg-lab-figure" }, this.buttons, this.strips);
    host.append(this.verdict, h("div", { class: "hg-lab-two" }, figure, side));
    this.update(data, view);
  }

  protected read(data: Json): Json {
    return data;
  }

  protected open(data: Json, view: LabView): void {
    this.stop();
    this.shape = data["shape"] as number[];
    [this.given, this.steps, this.count] = ["given", "rest", "count"].map((name) => Number(data[name]));
    this.rows = (data["rows"] as Json[]).map((one) => ({
      name: String(one["name"]),
      title: String(one["title"]),
      pixels: bytesOf(String(one["pixels"])),
    }));
    this.methods = data["methods"] as Method[];
    this.picked = Math.round(numberIn(view, "sample", 0, 0, this.count - 1));
    this.step = Math.round(numberIn(view, "ahead", 1, 1, this.steps));
    this.buttons.replaceChildren(
      press("Another film", "lab-next", () => this.pick((this.picked + 1) % this.count)),
      this.toPlay,
    );
    this.drawChart();
    this.draw();
    this.ready();
  }

  private pick(index: number): void {
    this.picked = index;
    this.draw();
    this.rest();
  }

  private at(step: number): void {
    if (step === this.step && !this.playing) return;
    this.stop(); // the hand has it now
    this.step = step;
    this.mark();
    this.rest();
  }

  private play(): void {
    if (this.playing) return this.stop();
    this.step = 1;
    this.playing = window.setInterval(() => {
      if (this.step >= this.steps) return this.stop();
      this.step++;
      this.mark();
    }, PACE);
    this.toPlay.textContent = "Stop";
    this.mark();
  }

  private stop(): void {
    if (this.playing) this.rest(); // where it stopped
    clearInterval(this.playing);
    this.playing = 0;
    this.toPlay.textContent = "Play";
  }

  private drawChart(): void {
    const series: Series[] = this.methods
      .filter(({ name }) => name in COLOURS)
      .map(({ name, title, horizon }) => ({
        name,
        title,
        colour: COLOURS[name],
        main: name === "network",
        plain: true,
        points: horizon.map((error, i) => [i + 1, error] as const),
      }));
    const top = 1.08 * Math.max(...series.flatMap(({ points }) => points.map(([, error]) => error)));
    this.chart.draw(
      { title: "frames ahead", low: 1, high: this.steps, stops: series[0].points.map(([step]) => step) },
      { title: "mean squared error", low: 0, high: top },
      series,
    );
    this.legend.replaceChildren(...keysOf(series.map(({ title, colour }) => ({ title, colour }))));
  }

  /** Every row of frames of the film that is shown, and beside it the one frame large. */
  private draw(): void {
    this.strips.replaceChildren(
      ...this.rows.map((row) => {
        const frames = row.name === "given" ? this.given : this.steps;
        const canvas = h("canvas", { class: "hg-lab-strip" });
        this.paint(canvas, row, 0, frames);
        const large = h("span", { class: "hg-lab-now" }, h("canvas", { data: { row: row.name } }));
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
    for (const canvas of this.strips.querySelectorAll<HTMLCanvasElement>(".hg-lab-now canvas")) {
      const row = this.rows.find(({ name }) => name === canvas.dataset["row"]);
      if (!row) continue;
      const frame = (row.name === "given" ? this.given : this.step) - 1;
      this.paint(canvas, row, frame, frame + 1);
    }
    const told = ["network", "moved", "ridge", "kernel"].flatMap((wanted) => {
      const found = this.methods.find(({ name }) => name === wanted);
      return found ? `${found.title} ${short(found.horizon[this.step - 1])}` : [];
    });
    const words = `${this.step} ${this.step === 1 ? "frame" : "frames"} ahead, squared error over all test films: ${told.join(", ")}.`;
    setText(this.verdict, words);
    this.chart.place(this.step, words);
  }

  /** Some frames of a row side by side, in their own pixels. */
  private paint(canvas: HTMLCanvasElement, row: Row, begin: number, end: number): void {
    const [height, width, channels] = this.shape;
    const size = height * width * channels;
    const all = row.name === "given" ? this.given : this.steps;
    [canvas.width, canvas.height] = [(end - begin) * (width + 1) - 1, height];
    const context = cpuContext(canvas);
    for (let k = begin; k < end; k++) {
      const image = context.createImageData(width, height);
      toPixels(row.pixels, (this.picked * all + k) * size, this.shape, 1, image.data);
      context.putImageData(image, (k - begin) * (width + 1), 0);
    }
  }

  protected view(): LabView {
    return { sample: this.picked ? String(this.picked) : "", ahead: this.step === 1 ? "" : String(this.step) };
  }

  override end(): void {
    this.stop();
    super.end();
  }
}
