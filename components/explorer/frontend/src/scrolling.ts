import type { Ink } from "./canvas";
import { h } from "./dom";
import { inView } from "./kinds";
import type { Sampled } from "./paint";

/** Pixels along which the list fades where it goes on below. */
const FADE = 26;

/** A list of equally tall items on a canvas that stays in its place while the list scrolls behind it. */
export abstract class ScrollingList {
  readonly element: HTMLElement;
  readonly canvas: Sampled;
  ink: Ink = { text: "#000", faint: "#555", line: "#ccc", accent: "#2563eb", paper: "#fff" };
  /** What stands above the list, in columns of its own: as wide as the list is beside its scroll bar. */
  head: HTMLElement | null = null;
  private readonly spacer: HTMLElement;
  private readonly watcher: ResizeObserver;
  private fitted = new Map<string, string>();
  protected width = 0;
  protected height = 0;

  constructor(
    private readonly count: number,
    protected readonly itemHeight: number,
    maxHeight: number,
    protected readonly footHeight: number,
    name: string,
  ) {
    this.canvas = h("canvas", { class: name });
    this.spacer = h("div", {}, this.canvas);
    this.element = h("div", { class: "hg-listed", on: { scroll: () => this.draw() } }, this.spacer);
    this.element.style.maxHeight = `${maxHeight + footHeight}px`;
    this.spacer.style.height = `${count * itemHeight + footHeight}px`;
    if (count * itemHeight > maxHeight) this.element.tabIndex = 0; // so that the keyboard reaches what is scrolled away
    this.watcher = new ResizeObserver(() => this.resized());
    this.watcher.observe(this.element);
  }

  private resized(): void {
    const { clientWidth, clientHeight } = this.element;
    if (!clientWidth || !clientHeight) return;
    const k = window.devicePixelRatio || 1;
    [this.width, this.height] = [clientWidth, clientHeight];
    if (this.head) this.head.style.width = `${clientWidth}px`;
    this.fitted = new Map();
    this.canvas.width = Math.round(clientWidth * k);
    this.canvas.height = Math.round(clientHeight * k);
    this.canvas.style.height = `${clientHeight}px`;
    this.draw();
  }

  draw(): void {
    const context = this.canvas.getContext("2d")!;
    if (!this.width) return;
    const k = this.canvas.width / this.width;
    context.setTransform(k, 0, 0, k, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const top = this.element.scrollTop,
      available = this.height - this.footHeight;
    context.save();
    context.beginPath();
    context.rect(0, 0, this.width, available);
    context.clip();
    const [first, end] = inView(this.count, this.itemHeight, top, available);
    context.textBaseline = "middle";
    for (let i = first; i < end; i++) this.item(context, i, i * this.itemHeight - top);
    context.restore();
    // What fades goes on below.
    if (this.count * this.itemHeight - top > available + 1) {
      const fade = context.createLinearGradient(0, available - FADE, 0, available);
      fade.addColorStop(0, "rgb(0 0 0 / 0)");
      fade.addColorStop(1, "rgb(0 0 0 / 1)");
      context.globalCompositeOperation = "destination-out";
      context.fillStyle = fade;
      context.fillRect(0, available - FADE, this.width, FADE);
      context.globalCompositeOperation = "source-over";
    }
    context.textBaseline = "middle";
    if (this.footHeight) this.footer?.(context, available);
  }

  protected abstract item(context: CanvasRenderingContext2D, i: number, y: number): void;
  /** What stands below the list; most lists have nothing there. */
  protected footer?(context: CanvasRenderingContext2D, y: number): void;

  /** A text cut to a width, with dots. Measured once for each text and width. */
  protected fit(context: CanvasRenderingContext2D, text: string, width: number): string {
    const key = `${Math.round(width)} ${context.font} ${text}`;
    let out = this.fitted.get(key);
    if (out !== undefined) return out;
    out = text;
    for (let n = Math.min(text.length, 80); n > 0 && context.measureText(out).width > width; n--)
      out = `${text.slice(0, n)}…`;
    if (this.fitted.size > 5000) this.fitted.clear();
    this.fitted.set(key, out);
    return out;
  }

  end(): void {
    this.watcher.disconnect();
  }
}
