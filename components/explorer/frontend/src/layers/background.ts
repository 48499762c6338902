/** Shows one layer behind the points, and computes it anew when it no longer fits. */

import type { RunCard } from "../card";
import { shade } from "../colours";
import type { Context } from "../context";
import { h } from "../dom";
import { toPixel, type Camera } from "../maths";
import { LAYERS } from "./index";
import type { Layer, Picture } from "./layer";
import { beforeTheNextFrame } from "./slices";

/** Milliseconds to wait before a computation: at most one of those that follow each other closely is worth its time. */
const WAIT = 60,
  CAMERA_WAIT = 120;

export class Background {
  /** Says what the layer shows. */
  readonly legend = h("p", { class: "hg-layer", hidden: true, data: { testid: "layer-legend" } });
  private readonly layers: readonly Layer[];
  private layer: Layer | null = null;
  private picture: Picture | null = null;
  private timer = 0;
  /** Since when somebody waits for the picture that is drawn next; 0 while nobody does. */
  private asked = 0;
  /** Counts the computations; only the newest is current. */
  private turn = 0;

  constructor(
    private readonly context: Context,
    card: RunCard,
  ) {
    this.layers = LAYERS.filter((layer) => layer.isPossible(card));
  }

  /** The ids and titles of the layers that this run can have. */
  choices(): (readonly [id: string, title: string])[] {
    return [["none", "none"], ...this.layers.map(({ id, title }) => [id, title(this.context.card)] as const)];
  }

  /** Shows the layer of this id; none where there is no such layer. */
  set(id: string): void {
    this.layer = this.layers.find((layer) => layer.id === id) ?? null;
    this.picture = null;
    this.asked = 0;
    this.drawLegend();
    this.context.map.redraw("background");
    this.refresh(0);
  }

  private drawLegend(): void {
    this.legend.hidden = !this.layer;
    if (!this.layer) return this.legend.replaceChildren();
    const { words, ends } = this.layer.legend(this.context.card);
    const bar = h("i", { class: "hg-scale" });
    const stops = [0, 1].map(shade).map(([r, g, b, a]) => `rgb(${r} ${g} ${b} / ${a / 255})`);
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    this.legend.replaceChildren(h("span", {}, words), ...(ends ? [ends[0], bar, ends[1]] : []));
  }

  get pointOpacity(): number {
    return this.layer?.pointOpacity ?? 1;
  }

  /** The camera moved: the old picture moves with it, the new one follows when the camera rests. */
  cameraMoved(): void {
    if (this.layer) this.refresh(CAMERA_WAIT);
  }

  /** With more than two dimensions some pictures depend on the others, and those may have changed. */
  codeRested(): void {
    if (this.layer?.dependsOnCode && this.context.card.codes.size > 2) this.refresh();
  }

  refresh(wait = WAIT): void {
    clearTimeout(this.timer);
    this.turn++;
    const { layer, turn } = this,
      asked = performance.now() + wait;
    if (!layer) return;
    const compute = () => turn === this.turn && void this.compute(layer, turn, asked);
    if (wait) this.timer = window.setTimeout(compute, wait);
    else void beforeTheNextFrame().then(compute);
  }

  private async compute(layer: Layer, turn: number, asked: number): Promise<void> {
    const isCurrent = () => turn === this.turn;
    const picture = await layer.compute({
      context: this.context,
      camera: this.context.map.camera,
      isCurrent,
      show: (incomplete, complete) => {
        if (complete || !this.picture) this.picture = incomplete;
      },
    });
    if (!isCurrent()) return;
    this.picture = picture;
    this.asked = asked;
    this.context.map.redraw("background");
  }

  /** Nothing is `shown` while a tool hides the layer. */
  draw(context: CanvasRenderingContext2D, camera: Camera, shown: boolean): void {
    if (shown) this.drawPicture(context, camera);
    if (this.asked && this.layer)
      performance.measure(`explorer:layer-${this.layer.id}`, { start: this.asked, end: performance.now() });
    this.asked = 0;
  }

  private drawPicture(context: CanvasRenderingContext2D, camera: Camera): void {
    if (!this.picture) return;
    const { canvas, extent, smooth } = this.picture;
    const [left, top] = toPixel(camera, extent[0], extent[3]),
      [right, bottom] = toPixel(camera, extent[1], extent[2]);
    context.save();
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, left, top, right - left, bottom - top);
    context.restore();
  }

  end(): void {
    clearTimeout(this.timer);
    this.turn++;
  }
}
