/** Everything beside the map that follows the code: the decoded sample, its neighbours, the sliders, the tool's panel. */

import type { About } from "../about";
import { causeNow } from "../cause";
import type { Ink } from "../canvas";
import type { Colouring } from "../colouring";
import type { Context } from "../context";
import type { Decoding } from "../decoding";
import { aroundMean, Density, DENSITY } from "../density";
import { h, setText } from "../dom";
import { formatNumber, meanSquaredError, type Neighbour } from "../maths";
import type { Sampled } from "../paint";
import { Below } from "./below";
import { Details } from "./details";
import { NEIGHBOURS, SamplePanel, type Painted } from "./sample";
import { Sliders, type SliderRow } from "./sliders";
import { Way } from "./way";

/** How many pictures show what a dimension does from end to end. */
const STRIP_FRAMES = 9;

/** What a decoded sample is and how it is drawn, for each kind of sample. */
const DECODED: Readonly<Record<string, string>> = {
  table:
    "What the decoder makes of the code, and no real row. Bars begin at the mean of their column and are measured in standard deviations (sd). Of a category each piece is the share of one value, the likeliest in colour. Marks are the real row.",
  signal: "What the decoder makes of the code, and no real signal. The thick line behind it is the real one.",
};
const decodedIs = (kind: string): string => DECODED[kind] ?? "What the decoder makes of the code, and no real sample.";
const STAND_IN =
  "The original of a framed sample is not on this page: its picture is what the decoder makes of its code.";
const ERROR =
  "The error is the mean of the squared differences between original and reconstruction: 0 were a perfect copy.";

export class Side {
  readonly element: HTMLElement;
  /** Where the tool in hand has its own controls. */
  readonly toolPanel = h("div", { class: "hg-panel" });
  readonly sample: SamplePanel;
  readonly sliders: Sliders;
  readonly way: Way;
  readonly details: Details;
  readonly below: Below;
  /** The samples nearest to the code, nearest first. */
  nearest: readonly Neighbour[] = [];
  /** Whether the code is further from the data than samples are from each other. */
  far = false;
  /** The sample that was gone to last: the way back to it after moving away. */
  private lastPicked: number | null = null;
  private histogram = "#999";
  /** How the codes are spread, fetched by the first who draws from it; null where that is not to be had. */
  private density: Promise<Density | null> | null = null;

  constructor(
    private readonly context: Context,
    private readonly decoding: Decoding,
    private readonly colouring: Colouring,
    pin: HTMLButtonElement,
    about: About,
    /** The way of a sample is not on the page: a picture that nobody sees is not drawn at each move. */
    private readonly compact: boolean,
  ) {
    const { card, data, state, painter } = context;
    this.details = new Details(about.network);
    this.way = new Way(painter, card, () => this.details.toggle());
    this.sample = new SamplePanel(painter, card, (index) => context.goTo(index), pin);
    this.sliders = new Sliders(
      card,
      data.codes,
      (dimension, value, cause) => {
        const code = Float32Array.from(state.now.code);
        code[dimension] = value;
        state.set("pinned", true);
        context.setCode(code, cause);
      },
      () => context.reporter.code(),
      (row) => this.toggleStrip(row),
      this.buttons(),
      about.meanings ?? [],
    );
    this.element = h(
      "aside",
      { class: "hg-side" },
      this.sample.element,
      this.toolPanel,
      this.way.element,
      this.sliders.element,
    );
    // Of rows and signals the parts of the sample's panel are laid out by themselves.
    this.below = new Below(this.element, [...this.element.children, ...this.sample.element.children]);
  }

  private buttons(): HTMLElement[] {
    const make = (label: string, testid: string, title: string, click: () => void) =>
      h("button", { type: "button", title, data: { testid }, on: { click } }, label);
    return [
      make("Random sample", "random-sample", "", () => this.goToRandom()),
      make(
        "New sample",
        "new-sample",
        "Drawn by chance from how the codes are spread: no stored sample",
        () => void this.drawNew(),
      ),
      make("Last sample", "this-sample", "Back to the sample shown last, else to the nearest", () => this.goToLast()),
      make("Average", "reset", "The mean of all codes: the middle of the map", () => this.goToMean()),
    ];
  }

  private goToRandom(): void {
    const { count } = this.context.card.codes;
    const visible = this.colouring.hiding
      ? Array.from({ length: count }, (_, i) => i).filter(this.colouring.isVisible)
      : null;
    if (visible && !visible.length) return;
    const at = Math.floor(Math.random() * (visible ?? { length: count }).length);
    this.context.goTo(visible ? visible[at] : at);
  }

  /** A code that no sample has, drawn as the codes are spread; of the classes that are visible. */
  private async drawNew(): Promise<void> {
    const { card, state, data } = this.context;
    const cause = causeNow();
    this.density ??= data.folder.optionalBytes(DENSITY).then(
      (bytes) => bytes && Density.read(bytes),
      () => null,
    );
    const density = await this.density;
    const { hidden } = state.now;
    const of = hidden.size ? (label: number) => (hidden.has(label) ? 0 : 1) : undefined;
    state.set("pinned", true);
    const fits = density?.size === state.now.code.length;
    this.context.setCode(fits ? density.draw(Math.random, 1, of) : aroundMean(card.codes, Math.random), cause);
    this.context.reporter.code();
  }

  private goToMean(): void {
    this.context.state.set("pinned", true);
    this.context.setCode(this.context.card.codes.mean, causeNow());
    this.context.reporter.code();
  }

  private goToLast(): void {
    const index = this.lastPicked ?? this.nearest[0]?.index;
    if (index !== undefined) this.context.goTo(index);
  }

  /** The sample has been gone to on purpose. */
  remember(index: number): void {
    this.lastPicked = index;
  }

  /** Everything beside the picture that follows the code. */
  present(): void {
    const { card, state, data } = this.context;
    const { code, pinned, led } = state.now;
    const { hiding, isVisible, cssOf } = this.colouring;
    // Where another map leads, its samples are marked here, too.
    this.nearest = led ? [] : (data.finder?.nearest(code, NEIGHBOURS, hiding ? isVisible : undefined) ?? []);
    // How far the data is does not depend on what is looked at.
    const nearest = hiding && !led ? data.finder?.nearest(code, 1)[0] : this.nearest[0];
    const next = hiding ? null : (this.nearest[1]?.distance ?? null);
    this.far = this.sample.showDistance(nearest?.distance ?? null, card.codes.nearest_p99, next);
    if (!this.compact)
      this.sample.showNeighbours(this.nearest, this.className, this.titleOf, cssOf, (index, canvas) =>
        this.paintThumbnail(index, canvas) ? "original" : "",
      );
    const { rows } = this.sliders;
    this.sample.showCode(code, code.length <= 4 ? [...code.keys()] : rows.slice(0, 3).map((row) => row.dimension));
    this.sliders.show(code);
    if (!this.compact) this.way.showCode(code);
    this.showOriginal();
    this.sample.pin.setAttribute("aria-pressed", String(pinned));
    this.sample.pin.title = pinned ? "Held. Let go (P)" : "Hold this place (P)";
  }

  private readonly className = (index: number): string => this.context.data.shortName(index);
  private readonly titleOf = (index: number): string => this.context.data.describe("Go to this sample", index);

  /** The code and its neighbourhood in words, for screen readers. */
  spoken(): string {
    const { code } = this.context.state.now;
    const numbers = [...code.slice(0, code.length <= 4 ? 4 : 3)].map((v) => formatNumber(v));
    const z = `z = (${numbers.join(", ")}${code.length > 4 ? ", …" : ""})`;
    const nearest = this.nearest.at(0);
    if (!nearest) return z;
    const far = this.far ? ", far from the data" : "";
    return `${z}, nearest ${this.className(nearest.index) || "sample"} at ${formatNumber(nearest.distance)}${far}`;
  }

  /** After the hand has come to rest: what would be too much for every move. */
  settle(): void {
    this.way.light("");
    const { input } = this.way;
    if (input.of !== undefined && input.classList.contains("hg-blank")) {
      if (this.paintSample(input.of, input)) input.classList.remove("hg-blank");
    }
    this.sample.describe();
    if (!this.hasThumbnails) this.sample.repaint((index, canvas) => this.paintSample(index, canvas));
    // Where originals are not at hand the decoder stands in, and the page says so.
    const { originals } = this.context.data;
    const words = { here: "framed: decoded", loading: "on their way", missing: "decoded, originals not at hand" };
    setText(this.sample.standIn, originals !== "here" || this.sample.hasStandIns ? words[originals] : "");
    const { dataset } = this.sample.standIn;
    dataset["tip"] = originals === "here" && this.sample.hasStandIns ? STAND_IN : "";
    for (const row of this.sliders.rows) if (!row.strip.hidden) this.fillStrip(row);
  }

  private get hasThumbnails(): boolean {
    return (
      this.context.data.originals === "here" &&
      !this.context.card.thumbnails?.count &&
      this.context.card.dataset.kind === "image"
    );
  }

  /** The originals have arrived, or will not. */
  originalsArrived(): void {
    const { samples } = this.context.data;
    if (samples) this.sample.setSamples(samples);
    this.sample.repaint((index, canvas) => (this.paintThumbnail(index, canvas) ? "original" : ""));
    delete this.way.input.of; // painted anew, now that it is here
    this.sample.invalidate(); // what samples are called has arrived, too
    this.present();
  }

  /** Paints the original of a sample; false where it is not at hand. */
  private readonly paintThumbnail = (index: number, canvas: Sampled): boolean => {
    const { data, painter, card } = this.context;
    canvas.of = index;
    const bytes = card.dataset.kind !== "image" || data.reduced ? null : data.bytesOf(index);
    const values = bytes ? null : data.original(index);
    if (card.dataset.kind !== "image") {
      delete canvas.sample; // until another one is known
      if (values) canvas.sample = values;
    }
    if (values) painter.paint(canvas, values);
    else if (bytes) painter.paint(canvas, bytes, 0, 1);
    return (values ?? bytes) !== null;
  };

  /** Paints an original, or where there will be none what the decoder makes of its code. */
  private paintSample(index: number, canvas: Sampled): Painted {
    if (this.paintThumbnail(index, canvas)) return "original";
    if (this.context.data.originals === "loading") return "";
    const values = this.decoding.paint(this.context.data.codeOf(index), canvas);
    if (values) canvas.sample = values;
    this.sample.showValues();
    return values || this.decoding.asked ? "decoded" : "";
  }

  /** What is decoded: the sample itself again, or something that lies between samples. */
  private showOriginal(): void {
    const { data, card, state } = this.context;
    const { picked } = state.now;
    const input = picked ?? this.nearest[0]?.index ?? null,
      values = input === null ? null : data.original(input);
    const words = picked === null ? "nearest" : "original",
      meaning = decodedIs(card.dataset.kind);
    this.sample.showBehind(
      input,
      values && { values, offset: 0, colour: this.colouring.cssOf(input), word: words },
      values ? data.describe(picked === null ? "nearest sample" : words, input) : "",
    );
    if (!this.compact) this.showInput(input, words, values !== null);
    if (picked === null || !values) {
      const decoded = this.far ? "decoded, far from real samples" : "decoded";
      this.sample.setCaption(picked === null ? decoded : "reconstruction", meaning);
      return;
    }
    const { decoded } = this.decoding;
    const comparable = !(card.dataset.kind === "image" && data.reduced) && decoded?.length === values.length;
    const error = comparable ? meanSquaredError(values, decoded) : (data.errors?.[picked] ?? null);
    if (error === null) return this.sample.setCaption("reconstruction", meaning);
    this.sample.setCaption(`reconstruction, error ${error.toPrecision(2)}`, `${meaning} ${ERROR}`);
  }

  /** The sample at the beginning of the way. Without its original it is drawn by the decoder, once the hand rests. */
  private showInput(index: number | null, words: string, here: boolean): void {
    const { input } = this.way;
    if (index === null) return this.way.showNote("");
    const decoded = here || this.context.data.originals === "loading" ? "" : ", as decoded";
    this.way.showNote(this.context.data.describe(words, index) + decoded);
    if (input.of !== index) input.classList.toggle("hg-blank", !this.paintThumbnail(index, input));
  }

  /** Shows or hides what one dimension does from end to end. */
  private toggleStrip(row: SliderRow): void {
    row.strip.hidden = !row.strip.hidden;
    row.element.querySelector("[data-testid=traversal]")?.setAttribute("aria-expanded", String(!row.strip.hidden));
    if (!row.strip.hidden) this.fillStrip(row);
  }

  private fillStrip(row: SliderRow): void {
    const { painter, state } = this.context;
    while (row.strip.children.length < STRIP_FRAMES) row.strip.append(painter.canvas("hg-thumb"));
    for (let k = 0; k < STRIP_FRAMES; k++) {
      const code = Float32Array.from(state.now.code);
      code[row.dimension] = row.low + ((row.high - row.low) * k) / (STRIP_FRAMES - 1);
      this.decoding.paint(code, row.strip.children[k] as HTMLCanvasElement);
    }
  }

  /** The codes have changed, as a network learns. */
  renew(): void {
    this.sliders.renew(this.context.card.codes, this.context.data.codes, this.histogram);
  }

  setInk(ink: Ink, histogram: string): void {
    this.histogram = histogram;
    this.sliders.draw(histogram);
    this.context.painter.ink = ink.text;
    this.sample.setInk(ink);
    this.way.setInk(ink);
    this.sample.invalidate();
  }

  end(): void {
    this.below.end();
    this.sample.end();
  }
}
