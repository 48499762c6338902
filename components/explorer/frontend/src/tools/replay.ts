/** Training played back: the codes of some samples after each stored epoch. */

import type { Cause } from "../cause";
import type { Context } from "../context";
import { h, setText } from "../dom";
import { messageOf } from "../fault";
import { project, type Point } from "../maths";
import { PlayButton } from "./play";
import { Tool } from "./tool";

export class Replay extends Tool {
  readonly id = "replay";
  readonly title = "Replay";
  readonly help = "See how the codes found their places while the network was trained";
  override readonly panel: HTMLElement;
  override readonly hasRings = false;
  override readonly showsLayer = false;
  private readonly label = h("output", { class: "hg-number" });
  private readonly message = h("p", { class: "hg-sum", data: { testid: "replay-message" } });
  private readonly scrub: HTMLInputElement;
  private readonly playButton = new PlayButton("replay-play", () => (this.timer ? this.pause() : this.play()));
  private codes: Float32Array | null = null;
  private index: Int32Array | null = null;
  private timer = 0;

  constructor(context: Context) {
    super(context);
    const last = Math.max(0, (context.card.replay?.epochs.length ?? 1) - 1);
    this.scrub = h("input", {
      type: "range",
      min: "0",
      max: String(last),
      step: "1",
      value: String(last),
      data: { testid: "replay-epoch" },
      aria: { label: "Epoch" },
      on: { input: () => (this.pause(), this.show()) },
    });
    this.panel = h(
      "section",
      { aria: { label: "Replay" } },
      h("h3", {}, "Replay"),
      this.message,
      h("div", { class: "hg-walk" }, this.playButton.element, this.scrub, this.label),
    );
  }

  override get possible(): boolean {
    return this.context.card.replay !== null;
  }

  override open(): void {
    if (this.codes) return this.begin();
    setText(this.message, "Fetching the epochs …");
    void this.load().then(
      () => this.context.state.now.tool === this.id && this.begin(),
      (error: unknown) => setText(this.message, messageOf(error)),
    );
  }

  /** It plays by itself where nobody minds: that is what it was opened for. */
  private begin(): void {
    if (this.context.reducedMotion || !this.context.places.plane.move) this.show();
    else this.play();
  }

  private async load(): Promise<void> {
    ({ codes: this.codes, index: this.index } = await this.context.data.replay());
  }

  private show(): void {
    const { context } = this;
    const { count, epochs } = context.card.replay!;
    const { size } = context.card.codes;
    const at = Number(this.scrub.value);
    setText(this.label, `epoch ${epochs[at]} of ${epochs[epochs.length - 1]}`);
    this.scrub.setAttribute("aria-valuetext", `epoch ${epochs[at]}`);
    if (!this.codes || !this.index) return;
    const { plane } = context.places;
    if (!plane.move) {
      setText(
        this.message,
        `${plane.title} places only the finished codes. Choose another map to replay the training.`,
      );
      return;
    }
    setText(
      this.message,
      `${count.toLocaleString("en")} samples after each epoch, which is one pass over all samples. What is decoded beside the map comes from the finished network.`,
    );
    const block = this.codes.subarray(at * count * size, (at + 1) * count * size);
    const pca = context.card.projections.pca;
    let xy: Float32Array;
    if (plane.key === "pca" && pca) xy = project(block, size, pca.mean, pca.components);
    else {
      xy = new Float32Array(2 * count);
      for (let r = 0; r < count; r++) xy.set(plane.place(block.subarray(r * size, (r + 1) * size))!, 2 * r);
    }
    context.colouring.showPoints(xy, this.index, 320);
  }

  private play(): void {
    const last = Number(this.scrub.max);
    if (Number(this.scrub.value) >= last) this.scrub.value = "0";
    this.show();
    clearInterval(this.timer);
    this.timer = window.setInterval(() => {
      if (Number(this.scrub.value) >= last) return this.pause();
      this.scrub.value = String(Number(this.scrub.value) + 1);
      this.show();
    }, 380);
    this.playButton.show(this.timer > 0);
  }

  private pause(): void {
    clearInterval(this.timer);
    this.timer = 0;
    this.playButton.show(this.timer > 0);
  }

  override close(): void {
    this.pause();
    if (this.codes) this.context.colouring.showPoints(this.context.places.plane.xy, this.context.places.plane.index);
  }

  override planeChanged(): void {
    this.show();
  }

  down(at: Point, cause: Cause): void {
    this.context.state.set("pinned", true);
    this.follow(at, cause);
  }

  drag(at: Point, cause: Cause): void {
    this.follow(at, cause);
  }

  up(): void {
    this.context.reporter.code();
  }
}
