/**
 * Signals and table rows drawn large: a panel per channel, a bar per column. What is longer than its place scrolls, and
 * only what is visible is drawn: a thousand columns cost a frame as much as fifteen.
 */

import { h, setText } from "./dom";
import { MISSING, asSeen, asTheyCame, cell, formatter, inUnit } from "./kinds";
import { likeliest, rangeOf, shares, type Column } from "./kinds";
import { decimalsFor, formatNumber, ticks } from "./maths";
import { ScrollingList } from "./scrolling";

/** A real sample drawn behind what is decoded. */
export interface Behind {
  readonly values: ArrayLike<number>;
  readonly offset: number;
  readonly colour: string;
  /** What it is beside what is decoded: "original", or "nearest". */
  readonly word: string;
}

const FONT = "12px system-ui, sans-serif",
  SMALL = "11px system-ui, sans-serif";

/** What stands in place of a decoded image. */
export abstract class Large extends ScrollingList {
  protected behind: Behind | null = null;
  private of: number | null = null;

  show(values: ArrayLike<number>): void {
    this.canvas.sample = values;
    this.draw();
  }

  /** The real sample behind; drawn anew only when it is another one. */
  compare(index: number | null, behind: Behind | null): void {
    const was = this.behind;
    const same = behind ? index === this.of && behind.colour === was?.colour && behind.word === was.word : !was;
    if (same) return;
    [this.of, this.behind] = [index, behind];
    this.compared?.();
    this.draw();
  }

  /** Another real sample is behind, or none. */
  protected compared?(): void;

  /** The real samples have arrived: scales may be taken from them. Rows have theirs from their columns. */
  scaled?(samples: Float32Array): void;

  /** What is shown in words, for those who listen. */
  abstract words(): string;
}

/** A decoded signal: a panel per channel with its name and its own unit, time along the bottom. */
export class Lines extends Large {
  private ranges: [number, number][];
  private readonly formats: ((value: number) => string)[];

  constructor(
    private readonly steps: number,
    private readonly columns: readonly Column[],
  ) {
    super(
      columns.length,
      columns.length === 1 ? 160 : columns.length === 2 ? 104 : columns.length === 3 ? 84 : 74,
      324,
      20,
      "hg-sample",
    );
    this.ranges = columns.map((_, c) => rangeOf(null, steps, columns.length, c));
    this.formats = columns.map(formatter);
  }

  override scaled(samples: Float32Array): void {
    this.ranges = this.columns.map((_, c) => rangeOf(samples, this.steps, this.columns.length, c));
    this.draw();
  }

  private left = 48;

  private across(t: number): number {
    return this.left + (t / Math.max(1, this.steps - 1)) * (this.width - this.left - 8);
  }

  protected item(context: CanvasRenderingContext2D, c: number, y: number): void {
    const { columns, steps, ink } = this;
    const column = columns[c],
      [low, high] = this.ranges[c];
    const top = y + 18,
      bottom = y + this.itemHeight - 6;
    const place = (v: number) => bottom - ((v - low) / (high - low)) * (bottom - top);
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillStyle = ink.text;
    context.fillText(this.fit(context, column.name, this.width - this.left - 8), this.left, y + 9);
    const [from, to] = [inUnit(column, low), inUnit(column, high)];
    let marks: number[] = [];
    // One number alone formats where, and not how much.
    for (let count = Math.max(2, Math.round((bottom - top) / 34)); marks.length < 2 && count < 7; count++)
      marks = ticks(from, to, count);
    const step = marks.length > 1 ? marks[1] - marks[0] : to - from;
    const large = Math.max(Math.abs(from), Math.abs(to)) >= 1e5 || step < 1e-4;
    context.font = SMALL;
    context.textAlign = "right";
    context.lineWidth = 1;
    for (const mark of marks) {
      const at = Math.round(place(asSeen(column, mark))) + 0.5;
      context.strokeStyle = ink.line;
      context.beginPath();
      context.moveTo(this.left, at);
      context.lineTo(this.width - 8, at);
      context.stroke();
      context.fillStyle = ink.faint;
      context.fillText(
        large ? mark.toExponential(1).replace("-", "\u2212") : formatNumber(mark, decimalsFor(step)),
        this.left - 5,
        at,
        this.left - 6,
      );
    }
    context.save();
    context.beginPath();
    context.rect(this.left - 2, top - 4, this.width - this.left - 4, bottom - top + 8);
    context.clip();
    context.lineJoin = "round";
    const trace = (values: ArrayLike<number>, offset: number) => {
      context.beginPath();
      for (let t = 0; t < steps; t++) context.lineTo(this.across(t), place(values[offset + t * columns.length + c]));
      context.stroke();
    };
    if (this.behind) {
      context.strokeStyle = this.behind.colour;
      context.globalAlpha = 0.6;
      context.lineWidth = 3;
      trace(this.behind.values, this.behind.offset);
      context.globalAlpha = 1;
    }
    if (this.canvas.sample) {
      context.strokeStyle = ink.text;
      context.lineWidth = 1.6;
      trace(this.canvas.sample, 0);
    }
    context.restore();
  }

  protected override footer(context: CanvasRenderingContext2D, y: number): void {
    context.font = SMALL;
    context.fillStyle = this.ink.faint;
    const marks = ticks(0, this.steps - 1, 5).filter(Number.isInteger);
    for (const t of marks) {
      context.textAlign = this.across(t) > this.width - 20 ? "right" : "center";
      context.fillText(String(t), this.across(t), y + 10);
    }
    context.textAlign = "left";
    context.fillText("step", 8, y + 10);
  }

  words(): string {
    const { sample } = this.canvas;
    if (!sample) return "";
    const channels = this.columns.length;
    return this.columns
      .slice(0, 8)
      .map((column, c) => {
        let low = Infinity,
          high = -Infinity;
        for (let t = 0; t < this.steps; t++)
          [low, high] = [Math.min(low, sample[t * channels + c]), Math.max(high, sample[t * channels + c])];
        return `${column.name} from ${this.formats[c](low)} to ${this.formats[c](high)}`;
      })
      .join("; ");
  }
}

/** How many standard deviations a bar reaches either way. */
const REACH = 3;
/** Where the bars lie and where the real values end, as shares of the width; the style sheet has them, too. */
const [BARS_FROM, BARS_TO, REAL_TO] = [0.33, 0.55, 0.79];
/** How wide the arrow is that says that a value lies beyond the scale's end. */
const ARROW = 7;

/**
 * A decoded row: a bar per column, from the column's mean to the value; a category's shares side by side. Beside it the
 * real row's own values, so that nobody takes for real what the decoder made.
 */
export class Bars extends Large {
  private readonly formats: ((value: number) => string)[];
  private readonly real: ((value: number) => string)[];
  private readonly realHead = h("span", { class: "hg-real" });

  constructor(private readonly columns: readonly Column[]) {
    super(columns.length, 24, 24 * 13 + 12, columns.some((c) => c.kind === "number") ? 18 : 0, "hg-sample");
    this.formats = columns.map(formatter);
    this.real = columns.map(asTheyCame);
    this.head = h("div", { class: "hg-heads" }, this.realHead, h("span", { class: "hg-decoded" }, "decoded"));
  }

  protected override compared(): void {
    const { behind, realHead } = this;
    setText(realHead, behind?.word ?? "");
    if (behind) realHead.style.setProperty("--class", behind.colour);
  }

  private get zone(): readonly [left: number, right: number] {
    return [this.width * BARS_FROM, this.width * BARS_TO];
  }

  protected item(context: CanvasRenderingContext2D, i: number, y: number): void {
    const { ink, columns, behind } = this;
    const column = columns[i],
      [left, right] = this.zone,
      middle = (left + right) / 2;
    const values = this.canvas.sample;
    context.font = FONT;
    context.textAlign = "left";
    context.fillStyle = ink.text;
    context.fillText(this.fit(context, column.name, left - 14), 4, y + 12);
    if (!values) return;
    context.textAlign = "right";
    const say = (words: string, end: number) => {
      const available = this.width * (1 - REAL_TO) - 8;
      const fitted = column.kind === "number" ? words : this.fit(context, words, available);
      context.fillText(fitted, end, y + 12, available);
    };
    say(cell(column, this.formats[i], values), this.width - 4);
    if (behind) {
      context.font = `600 ${FONT}`;
      say(cell(column, this.real[i], behind.values, behind.offset, "missing"), this.width * REAL_TO - 4);
    }
    if (column.kind !== "number") return this.category(context, column, values, y);
    const value = values[column.start];
    const at = (v: number) => middle + (Math.max(-REACH, Math.min(REACH, v)) / REACH) * ((right - left) / 2);
    context.fillStyle = ink.line;
    context.fillRect(left, y + 11.5, right - left, 1);
    const x = at(value);
    context.fillStyle = ink.accent;
    context.fillRect(Math.min(middle, x), y + 7, Math.max(1, Math.abs(x - middle)), 10);
    if (Math.abs(value) > REACH) this.arrow(context, x, Math.sign(value), y, 5);
    context.fillStyle = ink.faint;
    context.fillRect(middle - 0.5, y + 3, 1, 18);
    if (!behind) return;
    const known = behind.values[behind.offset + column.start];
    if (Number.isNaN(known)) return; // missing: said in words
    if (Math.abs(known) <= REACH) return this.mark(context, at(known), y, behind.colour);
    context.fillStyle = behind.colour;
    this.arrow(context, at(known), Math.sign(known), y, 9);
  }

  /** Points beyond the scale's end, where a value lies that is not on it. */
  private arrow(context: CanvasRenderingContext2D, x: number, way: number, y: number, half: number): void {
    context.beginPath();
    context.moveTo(x, y + 12 - half);
    context.lineTo(x + way * ARROW, y + 12);
    context.lineTo(x, y + 12 + half);
    context.fill();
  }

  private mark(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
    context.fillStyle = this.ink.paper;
    context.fillRect(x - 2.5, y + 3, 5, 18);
    context.fillStyle = colour;
    context.fillRect(x - 1.5, y + 3, 3, 18);
  }

  private category(context: CanvasRenderingContext2D, column: Column, values: ArrayLike<number>, y: number): void {
    const { ink, behind } = this;
    const [left, right] = this.zone;
    const best = likeliest(column, values, 0),
      real = behind ? likeliest(column, behind.values, behind.offset) : -1;
    context.fillStyle = ink.line;
    context.fillRect(left, y + 7, right - left, 10);
    let x = left;
    shares(column, values, 0).forEach((share, k) => {
      const width = share * (right - left);
      context.fillStyle = k === best ? ink.accent : ink.faint;
      context.globalAlpha = k === best ? 1 : 0.45;
      context.fillRect(x, y + 7, Math.max(0, width - 1), 10);
      context.globalAlpha = 1;
      if (k === real) this.mark(context, Math.min(right - 2, Math.max(left + 2, x + width / 2)), y, behind!.colour);
      x += width;
    });
  }

  protected override footer(context: CanvasRenderingContext2D, y: number): void {
    const [left, right] = this.zone;
    context.font = SMALL;
    context.fillStyle = this.ink.faint;
    context.textAlign = "center";
    const unit = right - left < 100 ? "" : " sd"; // else it would run into the mean
    context.fillText(`\u2212${REACH}${unit}`, left, y + 9);
    context.fillText("mean", (left + right) / 2, y + 9);
    context.fillText(`+${REACH}${unit}`, right, y + 9);
    if (unit) return;
    context.textAlign = "left";
    context.fillText("in sd", 4, y + 9);
  }

  words(): string {
    const { sample } = this.canvas;
    return sample
      ? this.columns
          .slice(0, 12)
          .map((column, i) => `${column.name} ${cell(column, this.formats[i], sample)}`)
          .join("; ")
      : "";
  }
}

/** The values of a few samples side by side, a line per column. */
export class Values extends ScrollingList {
  private samples: readonly (ArrayLike<number> | undefined)[] = [];
  private formats: ((value: number) => string)[];
  private unknown = MISSING;

  /** `names` is the share of the width that the names of the columns take. */
  constructor(
    private readonly columns: readonly Column[],
    private readonly names: number,
  ) {
    super(columns.length, 20, 20 * 10 + 10, 0, "hg-values");
    this.formats = columns.map(formatter);
  }

  /** From now on originals are shown, and no decoded stand-ins. */
  areOriginals(): void {
    this.formats = this.columns.map(asTheyCame);
    this.unknown = "missing";
  }

  show(samples: readonly (ArrayLike<number> | undefined)[]): void {
    if (samples.length === this.samples.length && samples.every((sample, i) => sample === this.samples[i])) return;
    this.samples = samples;
    this.draw();
  }

  protected item(context: CanvasRenderingContext2D, i: number, y: number): void {
    const { columns, ink, samples } = this;
    const column = columns[i],
      left = this.width * this.names,
      cellWidth = (this.width - left) / Math.max(1, samples.length);
    if (i % 2) {
      context.globalAlpha = 0.35;
      context.fillStyle = ink.line;
      context.fillRect(0, y, this.width, this.itemHeight);
      context.globalAlpha = 1;
    }
    context.font = SMALL;
    context.textAlign = "left";
    context.fillStyle = ink.faint;
    context.fillText(this.fit(context, column.name, left - 10), 4, y + 10);
    context.fillStyle = ink.text;
    samples.forEach((sample, k) => {
      if (!sample) return;
      const words = cell(column, this.formats[i], sample, 0, this.unknown);
      context.fillText(
        column.kind === "number" ? words : this.fit(context, words, cellWidth - 6),
        left + k * cellWidth + 2,
        y + 10,
        cellWidth - 6,
      );
    });
  }
}
