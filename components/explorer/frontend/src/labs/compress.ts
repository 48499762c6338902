/** How many bytes an image needs: curves of rate and distortion, and images that change with the rate. */

import type { Json } from "../card";
import { choice, h, setText } from "../dom";
import { Chart, type Series } from "./chart";
import { readAnswer, type Answer, type Method } from "./compress-answer";
import { Pictures } from "./compress-pictures";
import { formatBytes, kilobytes, verdict } from "./compress-verdict";
import { downloads } from "./downloads";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { keysOf, numberIn, slider } from "./parts";
import { Network } from "../network/network";
import { Painter } from "../paint";
import { term } from "../tips";

/** Of the methods, in the order in which they come. The run has the theme's own accent. */
const COLOURS = ["var(--accent)", "#8c8c8c", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const FEWEST = 1,
  MOST = 1e7;

export const compress: LabOf = (host, data, view, context) => new Compress(host, data, view, context);

class Compress extends Showing<Answer> {
  private answer: Answer | null = null;
  private decoder: Network | null = null;
  private painter = new Painter({ kind: "image", shape: [1, 1, 1] });
  /** Bytes of an image's code, where the hand has put them. The decoder's part of each image comes on top. */
  private rate = 0;
  private images = 1000;
  private bits = 0;
  private alone = false;
  private similarity = false;
  private picked = 0;
  private decoded: Float32Array | undefined;
  private frame = 0;

  private readonly chart = new Chart("Bytes an image", (rate) => this.moveTo(rate), "rate");
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly pictures = new Pictures();
  private readonly thumbs = h("div", { class: "hg-lab-thumbs", role: "group", aria: { label: "Test image" } });
  private readonly controls = h("div", { class: "hg-lab-controls" });
  private readonly count = slider("How many images", "lab-images", [0, 1000, 1], (place) => this.counted(place / 1000));

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    const figure = h("div", { class: "hg-lab-figure" }, this.chart.element, this.legend);
    figure.append(downloads(this.chart, "rate-distortion"));
    const side = h("div", { class: "hg-lab-side" }, this.thumbs, this.pictures.element);
    host.append(this.verdict, this.controls, h("div", { class: "hg-lab-two" }, figure, side));
    this.update(data, view);
    this.attempt(this.load());
  }

  /** The run's own decoder makes the images, so that every place between two points has one. */
  private async load(): Promise<void> {
    const { folder } = this.context;
    const decoder = await Network.load(folder, await folder.card(), "decoder");
    if (this.ended) return;
    this.decoder = decoder;
    this.draw();
  }

  protected read(data: Json): Promise<Answer> {
    return readAnswer(data);
  }

  protected open(answer: Answer, view: LabView): void {
    this.answer = answer;
    this.painter = new Painter({ kind: "image", shape: answer.shape });
    const [run] = answer.methods;
    const usual = run.points[answer.shares.indexOf(0.25)] ?? run.points[run.points.length - 1];
    this.rate = Math.max(this.low(), numberIn(view, "rate", usual.rate));
    this.images = numberIn(view, "many", 1000, FEWEST, MOST);
    this.bits = answer.decoder.find(({ bits }) => bits === Number(view["bits"]))?.bits ?? 0;
    this.alone = view["alone"] === "yes";
    if (!view["rate"]) this.within(run);
    this.similarity = view["measure"] === "ssim" && run.points.every(({ ssim }) => ssim !== null);
    this.picked = Math.round(numberIn(view, "image", 0, 0, answer.count - 1));
    this.build(answer);
    this.drawChart();
    this.draw();
    this.ready();
  }

  /** Puts the handle where the run has an image at all: files of one image each begin with a head. */
  private within(run: Method): void {
    const [least] = this.points(run)[0];
    if (this.rate + this.share < least) this.rate = 1.001 * least - this.share;
  }

  private build(answer: Answer): void {
    const { painter } = this;
    this.thumbs.replaceChildren(
      ...answer.originals.map((pixels, i) => {
        const canvas = painter.canvas("hg-lab-thumb");
        painter.paint(canvas, pixels, 0, 1);
        const pick = h(
          "button",
          {
            type: "button",
            aria: { pressed: String(i === this.picked), label: `Test image ${i + 1}` },
            on: { click: () => this.pick(i) },
          },
          canvas,
        );
        return pick;
      }),
    );
    this.pictures.build(answer, painter);
    this.legend.replaceChildren(
      ...keysOf(
        answer.methods.map(({ title, lossless }, i) => ({
          title,
          colour: COLOURS[i % COLOURS.length],
          main: i === 0,
          dashed: lossless,
        })),
      ),
    );
    const files = choice(
      "Files",
      [
        ["no", "all images in one"],
        ["yes", "a file for each image"],
      ],
      this.alone ? "yes" : "no",
      (value) => {
        this.alone = value === "yes";
        this.within(answer.methods[0]);
        this.redrawn();
      },
      "lab-files",
    );
    const bits = choice(
      term("Count the decoder", "Whoever opens the images needs the decoder, too. Its bytes are shared by all images."),
      [["0", "no: both sides have it"], ...answer.decoder.map(this.inWords)],
      String(this.bits),
      (value) => {
        this.bits = Number(value);
        this.redrawn();
      },
      "lab-decoder",
    );
    const measure = choice(
      term(
        "Measure",
        "PSNR: 10 dB more is a tenth of the squared error. SSIM: how alike edges and textures are, at most 1.",
      ),
      [
        ["psnr", "PSNR (squared error)"],
        ["ssim", "SSIM (edges and textures)"],
      ],
      this.similarity ? "ssim" : "psnr",
      (value) => {
        this.similarity = value === "ssim";
        this.redrawn();
      },
      "lab-measure",
    );
    this.count.input.value = String(Math.round(1000 * (Math.log(this.images / FEWEST) / Math.log(MOST / FEWEST))));
    this.controls.replaceChildren(
      bits,
      this.count.element,
      files,
      ...(answer.methods[0].points.every(({ ssim }) => ssim !== null) ? [measure] : []),
    );
  }

  private readonly inWords = ({ bits, bytes, lost }: Answer["decoder"][number]): readonly [string, string] => [
    String(bits),
    `${bits} bits a weight: ${kilobytes(bytes)}${lost >= 0.01 ? `, ${lost.toFixed(2)} dB worse` : ""}`,
  ];

  /** Bytes that each image has to carry of the decoder. */
  private get share(): number {
    const counted = this.answer?.decoder.find(({ bits }) => bits === this.bits);
    return counted ? counted.bytes / this.images : 0;
  }

  /** What the decoder's rounding costs, in dB. */
  private get lost(): number {
    return this.answer?.decoder.find(({ bits }) => bits === this.bits)?.lost ?? 0;
  }

  /** A method's points as they are drawn: bytes an image, and how good it is. */
  private points(method: Method): (readonly [number, number])[] {
    const more = (basis: number) => (method.name === "run" ? this.share : this.bits ? basis / this.images : 0);
    const lost = method.name === "run" && !this.similarity ? this.lost : 0;
    const found = method.points.map(
      ({ rate, alone, psnr, ssim, basis }) =>
        [
          (this.alone && alone !== null ? alone : rate) + more(basis),
          this.similarity ? (ssim ?? 0) : psnr - lost,
        ] as const,
    );
    // By another measure, or each alone, a larger file need not be the better one.
    const rising: (readonly [number, number])[] = [];
    for (const point of found.sort((a, b) => a[0] - b[0]))
      if (!rising.length || point[1] > rising[rising.length - 1][1]) rising.push(point);
    return rising;
  }

  private low(): number {
    const first = this.answer?.methods.map((method) => method.points[0].rate) ?? [1];
    return Math.max(0.05, 0.8 * Math.min(...first));
  }

  private drawChart(): void {
    const { answer } = this;
    if (!answer) return;
    const series: Series[] = answer.methods.map((method, i) => {
      const points = this.points(method);
      return {
        name: method.name,
        title: method.title,
        colour: COLOURS[i % COLOURS.length],
        main: i === 0,
        points: method.lossless ? [] : points,
      };
    });
    const all = series.flatMap(({ points }) => points);
    const lossless = answer.methods.filter((method) => method.lossless).map((method) => this.points(method)[0][0]);
    const values = all.map(([, y]) => y);
    const low = this.similarity ? Math.max(0, Math.min(...values) - 0.02) : Math.floor(Math.min(...values)) - 1;
    const high = this.similarity ? 1 : Math.min(45, Math.ceil(Math.max(...values)) + 1);
    const right = 1.25 * Math.max(...all.map(([x]) => x), ...lossless);
    for (const method of answer.methods.filter((one) => one.lossless)) {
      const [x] = this.points(method)[0];
      const at = answer.methods.indexOf(method) % COLOURS.length;
      const ends = [
        [x, low],
        [x, high],
      ] as const;
      series[answer.methods.indexOf(method)] = {
        name: method.name,
        title: method.title,
        colour: COLOURS[at],
        dashed: true,
        points: ends,
      };
    }
    const y = this.similarity ? "SSIM" : "PSNR in dB";
    this.chart.draw(
      { title: "bytes an image", log: true, low: this.low(), high: right },
      { title: y, low, high },
      series,
    );
  }

  private redrawn(): void {
    this.drawChart();
    this.draw();
    this.rest();
  }

  private moveTo(rate: number): void {
    const begun = performance.now();
    this.rate = Math.max(this.low(), rate - this.share);
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
      performance.measure("lab:draw", { start: begun, end: performance.now() });
    });
    this.rest();
  }

  private counted(share: number): void {
    const exact = FEWEST * (MOST / FEWEST) ** share;
    this.images = Math.round(Number(exact.toPrecision(2)));
    if (!this.bits && this.answer) {
      this.bits = this.answer.decoder.find(({ lost }) => lost < 0.05)?.bits ?? this.answer.decoder[0].bits;
      const select = this.controls.querySelector<HTMLSelectElement>('[data-testid="lab-decoder"]');
      if (select) select.value = String(this.bits);
    }
    this.redrawn();
  }

  private pick(image: number): void {
    this.picked = image;
    [...this.thumbs.children].forEach((thumb, i) => thumb.setAttribute("aria-pressed", String(i === image)));
    this.draw();
    this.rest();
  }

  protected view(): LabView {
    return {
      rate: this.rate.toPrecision(4),
      many: this.images === 1000 ? "" : String(this.images),
      bits: this.bits ? String(this.bits) : "",
      alone: this.alone ? "yes" : "",
      measure: this.similarity ? "ssim" : "",
      image: this.picked ? String(this.picked) : "",
    };
  }

  /** Everything that depends on the rate. */
  private draw(): void {
    const { answer } = this;
    if (!answer) return;
    this.count.say(this.images.toLocaleString("en"));
    const words = this.sentence(answer);
    setText(this.verdict, words);
    this.chart.place(this.rate + this.share, `${(this.rate + this.share).toFixed(1)} bytes an image. ${words}`);
    this.pictures.draw(answer, this.picked, (method) => {
      const best = this.best(method);
      const pixels = best < 0 ? null : this.made(answer, method, best);
      if (!pixels) return `needs ${formatBytes(this.points(method)[0][0])} at least`;
      return { pixels, bytes: this.size(method, best) };
    });
  }

  /** Bytes that an image takes at a point of a method, the run's decoder left aside. */
  private bytesAt(method: Method, i: number): number {
    const { alone, rate, basis } = method.points[i];
    return (this.alone && alone !== null ? alone : rate) + (this.bits ? basis / this.images : 0);
  }

  /** What an image takes at a point, as the verdict counts it; and where the next point lies, if far beyond the handle. */
  private size(method: Method, i: number): string {
    const mine = method.name === "run" ? this.share : 0;
    const bytes = this.bytesAt(method, i) + mine;
    const next = i + 1 < method.points.length ? this.bytesAt(method, i + 1) + mine : null;
    const spare = bytes < 0.8 * (this.rate + this.share) && next !== null;
    return spare ? `${formatBytes(bytes)} (${formatBytes(next)} would be too many)` : formatBytes(bytes);
  }

  /** The best point of a method at which an image takes no more bytes than where the handle stands; -1 where there is none. */
  private best(method: Method): number {
    const budget = method.name === "run" ? this.rate : this.rate + this.share;
    let best = -1;
    for (let i = 0; i < method.points.length; i++) if (this.bytesAt(method, i) <= budget * 1.0001) best = i;
    return best;
  }

  /** What a method makes of the picked image at a point, as pixels; null where the decoder has not come yet. */
  private made(answer: Answer, method: Method, i: number): ArrayLike<number> | null {
    if (method.name !== "run") return method.pictures[i][this.picked];
    if (!this.decoder) return null;
    this.decoded = this.decoder.run(Float32Array.from(answer.codes[i][this.picked]), this.decoded);
    return Uint8ClampedArray.from(this.decoded, (value) => 255 * value);
  }

  /** The verdict for the rate where the handle stands. */
  private sentence(answer: Answer): string {
    const [run, ...others] = answer.methods;
    return verdict({
      rate: this.rate + this.share,
      images: this.images,
      mine: this.points(run),
      others: others.map((method) => ({ title: method.title, points: this.points(method) })),
      decoder: answer.decoder.find(({ bits }) => bits === this.bits)?.bytes ?? null,
      similarity: this.similarity,
    });
  }

  override end(): void {
    super.end();
    cancelAnimationFrame(this.frame);
  }
}
