/**
 * A decoder that is not in the browser: a function of somebody's own, which a notebook's kernel calls. It answers later, one
 * question at a time, and the pointer's comes before all others.
 */

import type { Painter } from "../paint";

/** The samples of `count` codes, both one after the other. */
export type Ask = (codes: Float32Array<ArrayBuffer>, count: number) => Promise<Float32Array>;

/** So many pictures are asked for at once: what the pointer may have to wait for. */
const AT_ONCE = 16;

export class AskedDecoder {
  private asking = false;
  private ended = false;
  /** The newest code under the pointer that nobody has asked for yet. */
  private wish: { readonly code: Float32Array<ArrayBuffer>; readonly take: (values: Float32Array) => void } | null =
    null;
  /** Pictures that are still to be drawn. */
  private readonly pictures = new Map<HTMLCanvasElement, Float32Array>();
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly ask: Ask,
    private readonly painter: Painter,
    /** Hears of an error, and of null once an answer has come after it. */
    private readonly failed: (error: unknown) => void,
  ) {}

  private failing = false;

  /** Has `take` be called with the sample of this code, unless a newer one comes before it is asked for. */
  newest(code: Float32Array, take: (values: Float32Array) => void): void {
    this.wish = { code: Float32Array.from(code), take };
    this.next();
  }

  /** Draws the sample of a code, once it is known. */
  paint(code: Float32Array, canvas: HTMLCanvasElement): void {
    this.pictures.delete(canvas); // a picture that changes again waits again
    this.pictures.set(canvas, Float32Array.from(code));
    this.next();
  }

  /** The samples of some codes, a few at a time, as long as `goesOn`; `take` as of `decodeInSlices`. */
  async all(
    codes: readonly Float32Array[],
    take: (values: Float32Array, first: number, count: number) => void,
    goesOn: () => boolean,
  ): Promise<boolean> {
    for (let first = 0; first < codes.length; first += AT_ONCE) {
      while (this.asking) await new Promise<void>((free) => this.waiting.push(free));
      if (this.ended || !goesOn()) return false;
      const some = codes.slice(first, first + AT_ONCE);
      const values = await this.question(some);
      if (!values || !goesOn()) return false;
      take(values, first, some.length);
    }
    return true;
  }

  private next(): void {
    if (this.asking || this.ended) return;
    const { wish } = this;
    this.wish = null;
    if (wish) void this.question([wish.code]).then((values) => values && wish.take(values));
    else if (this.pictures.size) void this.draw([...this.pictures].slice(0, AT_ONCE));
    else this.waiting.shift()?.();
  }

  private async draw(some: readonly (readonly [HTMLCanvasElement, Float32Array])[]): Promise<void> {
    for (const [canvas] of some) this.pictures.delete(canvas);
    const values = await this.question(some.map(([, code]) => code));
    if (!values) return;
    const size = values.length / some.length;
    some.forEach(([canvas], k) => {
      if (!this.pictures.has(canvas)) this.painter.paint(canvas, values, k * size);
    });
  }

  private async question(codes: readonly Float32Array[]): Promise<Float32Array | null> {
    this.asking = true;
    try {
      const size = codes[0].length,
        together = new Float32Array(codes.length * size);
      codes.forEach((code, k) => together.set(code, k * size));
      const values = await this.ask(together, codes.length);
      if (this.ended) return null;
      if (this.failing) this.failed(null);
      this.failing = false;
      return values;
    } catch (error) {
      if (this.ended) return null;
      this.failing = true;
      this.failed(error);
      return null;
    } finally {
      this.asking = false;
      queueMicrotask(() => this.next());
    }
  }

  end(): void {
    this.ended = true;
    for (const free of this.waiting.splice(0)) free();
  }
}
