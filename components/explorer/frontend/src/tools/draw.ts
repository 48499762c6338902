/** A pad: what is drawn or dropped there goes through the encoder at once, and its code moves over the map. */

import { cpuContext } from "../canvas";
import { objectOf } from "../card";
import { causeNow, type Cause } from "../cause";
import type { Context } from "../context";
import { h, setText } from "../dom";
import { Fault, messageOf } from "../fault";
import { listenToBrush, paintFitted, strokeLine, valuesOf } from "../input/brush";
import { meanSquaredError, type Point } from "../maths";
import type { Network } from "../network/network";
import { toPixels, type Sampled } from "../paint";
import { Tool } from "./tool";

export class Draw extends Tool {
  readonly id = "draw";
  readonly title = "Draw";
  readonly help = "Draw or drop an image: it is encoded while you draw";
  override readonly encodes = true;
  override readonly panel: HTMLElement;
  private readonly pad: Sampled;
  private readonly small: HTMLCanvasElement;
  private readonly message = h("p", { class: "hg-sum", data: { testid: "draw-message" } });
  private readonly ink: HTMLInputElement;
  private readonly size: readonly [number, number, number];
  private readonly brush = h("input", {
    type: "range",
    min: "0.03",
    max: "0.2",
    step: "0.01",
    value: "0.08",
    aria: { label: "Width of the brush" },
  });
  private network: Network | null = null;
  private pending: Cause | null = null;
  private busy = false;
  private values: Float32Array | null = null;
  /** The stored sample that lies on the pad as it is: its code is known, and no drawing of it is as exact. */
  private sample: number | null = null;
  /** Whether the pad holds strokes alone: an image is encoded as it is. */
  private drawn = true;

  constructor(context: Context) {
    super(context);
    const [height, width, channels] = [
      context.card.dataset.shape[0],
      context.card.dataset.shape[1] ?? 1,
      context.card.dataset.shape[2] ?? 1,
    ];
    this.size = [height, width, channels];
    const k = Math.max(1, Math.round(256 / Math.max(height, width)));
    this.pad = h("canvas", {
      class: "hg-pad",
      width: width * k,
      height: height * k,
      tabIndex: 0,
      data: { testid: "draw-pad" },
      aria: { label: "Drawing pad. Arrow keys move the brush, Space lowers and lifts it." },
    });
    this.pad.setAttribute("role", "application");
    this.small = h("canvas", { width, height });
    this.ink = h("input", {
      type: "color",
      value: "#ffffff",
      hidden: channels < 3,
      aria: { label: "Colour of the brush" },
    });
    const file = h("input", {
      type: "file",
      accept: "image/*",
      class: "hg-file",
      aria: { label: "Open an image" },
      on: { change: () => void this.take(file.files?.[0] ?? null) },
    });
    this.panel = h(
      "section",
      { aria: { label: "Draw" } },
      h("h3", {}, "Draw"),
      this.pad,
      this.message,
      this.offer(),
      h(
        "div",
        { class: "hg-buttons" },
        this.ink,
        h("label", { class: "hg-check" }, "Pen", this.brush),
        h("button", { type: "button", data: { testid: "draw-clear" }, on: { click: () => this.clear() } }, "Clear"),
        h(
          "button",
          {
            type: "button",
            data: { testid: "draw-nearest", tip: "Puts the nearest real sample on the pad, to be changed there." },
            on: { click: () => this.fromSample() },
          },
          "Nearest",
        ),
        h(
          "button",
          {
            type: "button",
            data: { tip: "Swaps light and dark, for a drawing in black on white." },
            on: { click: () => this.invert() },
          },
          "Invert",
        ),
        h("label", { class: "hg-button", title: "Open an image file" }, "Open image", file),
        this.context.again &&
          h(
            "button",
            {
              type: "button",
              data: { testid: "draw-learn", tip: "Keeps this drawing: Train again can learn from it." },
              on: { click: () => this.keep() },
            },
            "Learn this",
          ),
      ),
    );
    this.pixels.fillStyle = "#000";
    this.pixels.fillRect(0, 0, this.pad.width, this.pad.height);
    this.listen();
  }

  override get possible(): boolean {
    const { dataset, architecture } = this.context.card;
    // A decoder of somebody's own comes without an encoder.
    const encodes = architecture.layers === undefined || "encoder" in objectOf(architecture.layers);
    return encodes && dataset.kind === "image" && dataset.shape.length === 3;
  }

  private get pixels(): CanvasRenderingContext2D {
    return cpuContext(this.pad);
  }

  override open(): void {
    this.context.state.set("pinned", true);
    if (!this.network) setText(this.message, "Fetching the encoder …");
    this.context.decoding.encoder().then(
      (network) => {
        const first = !this.network;
        this.network = network; // another one where the network has learnt
        if (first) setText(this.message, "Draw here, or drop an image on the pad.");
        if (this.pending) this.encode();
      },
      (error: unknown) => setText(this.message, messageOf(error)),
    );
  }

  private listen(): void {
    listenToBrush(this.pad, this.size[1], {
      line: (from, to) => this.line(from, to),
      changed: (cause) => this.changed(cause),
      ended: () => this.context.reporter.code(),
      said: (words) => setText(this.message, words),
    });
    for (const name of ["dragover", "drop"] as const)
      this.panel.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") void this.take(event.dataTransfer?.files[0] ?? null);
      });
  }

  private line(from: Point, to: Point): void {
    this.sample = null;
    const width = Number(this.brush.value) * Math.min(this.pad.width, this.pad.height);
    strokeLine(this.pixels, from, to, this.size[2] < 3 ? "#fff" : this.ink.value, width);
  }

  private changed(cause: Cause): void {
    this.pending = cause;
    if (!this.busy) this.encode();
  }

  /** The newest drawing through the encoder; the decoder then follows as for any code. */
  private encode(): void {
    const cause = this.pending;
    if (!cause || !this.network) return;
    this.pending = null;
    this.busy = true;
    const { sample, context } = this;
    const original = sample === null ? null : context.data.original(sample);
    this.values = this.pad.sample = original ?? this.read();
    const code = sample === null ? this.network.run(this.values) : context.data.codeOf(sample);
    if (context.state.now.tool === this.id) {
      context.state.set("pinned", true);
      context.setCode(code, cause, sample);
    }
    // One drawing per frame: what was drawn meanwhile is encoded then.
    requestAnimationFrame(() => {
      this.busy = false;
      if (this.pending) this.encode();
    });
  }

  override decoded(decoded: Float32Array): void {
    if (this.values?.length === decoded.length)
      setText(
        this.message,
        `Reconstruction error ${meanSquaredError(this.values, decoded).toPrecision(2)}; a perfect copy would have 0.`,
      );
  }

  /** The pad as the encoder sees it: H x W x C in [0, 1], each value the mean of what lies under it. */
  private read(): Float32Array {
    const [height, width, channels] = this.size;
    const small = cpuContext(this.small);
    paintFitted(this.pixels, small, this.drawn ? this.context.about.fit : null);
    return valuesOf(small.getImageData(0, 0, width, height), channels);
  }

  /** Says that another run reads drawings better, where one does. */
  private offer(): HTMLElement | null {
    const { reader } = this.context.about;
    if (!reader) return null;
    return h(
      "p",
      { class: "hg-sum hg-offer", data: { testid: "better-reader" } },
      `This run often takes one ${this.context.card.dataset.label ?? "drawing"} for another. `,
      h("a", { href: reader.address, target: "_self" }, reader.title),
      " reads drawings better.",
    );
  }

  private clear(): void {
    this.sample = null;
    this.drawn = true;
    this.pixels.fillStyle = "#000";
    this.pixels.fillRect(0, 0, this.pad.width, this.pad.height);
    this.changed(causeNow());
  }

  private invert(): void {
    this.sample = null;
    this.pixels.globalCompositeOperation = "difference";
    this.pixels.fillStyle = "#fff";
    this.pixels.fillRect(0, 0, this.pad.width, this.pad.height);
    this.pixels.globalCompositeOperation = "source-over";
    this.changed(causeNow());
  }

  /** Keeps what is on the pad for a network to learn from. */
  private keep(): void {
    const drawings = this.context.again!.drawings;
    const values = this.read();
    if (!values.some((value) => value !== values[0])) return setText(this.message, "Draw something first.");
    drawings.push(values);
    const kept = drawings.length === 1 ? "1 drawing is kept" : `${drawings.length} drawings are kept`;
    setText(this.message, `${kept}: Train again can learn from ${drawings.length === 1 ? "it" : "them"}.`);
  }

  private fromSample(): void {
    const index = this.context.nearest[0]?.index;
    if (index === undefined) return;
    const values = this.context.data.original(index);
    if (!values) {
      setText(this.message, "The originals of this run are not on this computer.");
      return;
    }
    const [height, width] = this.size;
    const image = new ImageData(width, height);
    toPixels(values, 0, this.size, 255, image.data);
    cpuContext(this.small).putImageData(image, 0, 0);
    this.show(this.small, false, index);
  }

  private async take(file: File | null): Promise<void> {
    if (!file) return;
    try {
      this.show(await createImageBitmap(file), true);
    } catch {
      setText(
        this.message,
        new Fault(`“${file.name}” cannot be read as an image`, "choose a PNG, JPEG, WebP or GIF, or draw").message,
      );
    }
  }

  /** Fills the pad with the middle of an image, cut to the pad's proportions. `sample` is the stored one that it is. */
  private show(
    image: CanvasImageSource & { width: number; height: number },
    smooth: boolean,
    sample: number | null = null,
  ): void {
    const { pad, pixels } = this;
    this.sample = sample;
    const k = Math.max(pad.width / image.width, pad.height / image.height);
    this.drawn = false;
    pixels.imageSmoothingEnabled = smooth;
    pixels.imageSmoothingQuality = "high";
    pixels.fillStyle = "#000";
    pixels.fillRect(0, 0, pad.width, pad.height);
    pixels.drawImage(
      image,
      (pad.width - image.width * k) / 2,
      (pad.height - image.height * k) / 2,
      image.width * k,
      image.height * k,
    );
    this.changed(causeNow());
  }

  /** The drawing leads; a passing pointer must not take the code away from it. */
  override get follows(): boolean {
    return false;
  }

  down(at: Point, cause: Cause): void {
    this.drag(at, cause);
  }

  drag(at: Point, cause: Cause): void {
    this.values = null;
    this.context.state.set("pinned", true);
    this.follow(at, cause);
  }

  up(): void {
    this.context.reporter.code();
  }
}
