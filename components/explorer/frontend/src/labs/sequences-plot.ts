/** A signal on a canvas: what is given, where a pen draws, and what may come next. */

import { cpuContext } from "../canvas";
import { h } from "../dom";
import { decimalsFor, formatNumber, ticks } from "../maths";
import type { Sampled } from "../paint";
import { themeOf } from "../theme";
import type { Channel } from "./sequences-answer";

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly values: Float32Array;
  readonly wide?: number;
  readonly dashed?: boolean;
}

export interface Shown {
  readonly given: Float32Array;
  /** Bands from the outermost: their edges over the rest. */
  readonly bands: readonly (readonly [low: Float32Array, high: Float32Array])[];
  readonly draws: readonly Float32Array[];
  readonly lines: readonly Line[];
}

const LEFT = 46,
  RIGHT = 10,
  TOP = 8,
  BOTTOM = 34;

export class Plot {
  readonly canvas = h("canvas", {
    class: "hg-lab-signal",
    tabIndex: 0,
    role: "application",
    data: { testid: "lab-pad" },
    aria: {
      label: "The given part of the signal. Arrow keys move the pen, Space lowers and lifts it.",
    },
  }) as Sampled;
  private scale = 1;

  constructor(
    private readonly steps: number,
    private readonly given: number,
    private readonly channels: number,
    private readonly range: readonly [number, number],
    /** The channel that is drawn. */
    public channel: number,
    private readonly about: readonly Channel[],
  ) {}

  /** As many pixels as it is wide on screen; whether that has changed. */
  fit(): boolean {
    const scale = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(scale * this.canvas.clientWidth),
      height = Math.round(scale * this.canvas.clientHeight);
    if (!width || (width === this.canvas.width && height === this.canvas.height)) return false;
    [this.canvas.width, this.canvas.height, this.scale] = [width, height, scale];
    return true;
  }

  private x(step: number): number {
    const wide = this.canvas.width / this.scale - LEFT - RIGHT;
    return LEFT + (wide * step) / (this.steps - 1);
  }

  private y(value: number): number {
    const [low, high] = this.range,
      high2 = this.canvas.height / this.scale - TOP - BOTTOM;
    return TOP + high2 * (1 - (value - low) / (high - low));
  }

  /** Which step and which number a place on the canvas, in its pixels, is. */
  place([x, y]: readonly [number, number]): readonly [step: number, value: number] {
    const wide = this.canvas.width / this.scale - LEFT - RIGHT,
      tall = this.canvas.height / this.scale - TOP - BOTTOM;
    const [low, high] = this.range;
    const step = ((x / this.scale - LEFT) / wide) * (this.steps - 1);
    const value = low + (1 - (y / this.scale - TOP) / tall) * (high - low);
    return [step, Math.min(high, Math.max(low, value))];
  }

  draw({ given, bands, draws, lines }: Shown): void {
    const context = cpuContext(this.canvas),
      theme = themeOf(this.canvas.closest(".hg") ?? this.canvas);
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    const width = this.canvas.width / this.scale,
      height = this.canvas.height / this.scale;
    context.clearRect(0, 0, width, height);
    this.axes(context, theme.ink.faint, theme.ink.line, width, height);
    context.save();
    context.beginPath();
    context.rect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
    context.clip();
    context.lineJoin = "round";
    for (const [low, high] of bands) this.band(context, given, low, high, theme.ink.accent);
    context.globalAlpha = 0.35;
    for (const draw of draws) this.line(context, this.from(given, draw), this.given - 1, theme.ink.accent, 1);
    context.globalAlpha = 1;
    for (const { values, colour, wide, dashed } of lines) {
      context.setLineDash(dashed ? [5, 4] : []);
      this.line(
        context,
        this.from(given, values),
        this.given - 1,
        colour === "" ? theme.ink.accent : colour,
        wide ?? 2,
      );
    }
    context.setLineDash([]);
    const own = Array.from({ length: this.given }, (_, t) => given[t * this.channels + this.channel]);
    this.line(context, own, 0, theme.ink.text, 2.5);
    context.restore();
  }

  /** The last given number, then these. */
  private from(given: Float32Array, rest: Float32Array): number[] {
    const last = given[(this.given - 1) * this.channels + this.channel];
    return [last, ...Array.from({ length: this.steps - this.given }, (_, t) => rest[t * this.channels + this.channel])];
  }

  private line(
    context: CanvasRenderingContext2D,
    values: readonly number[],
    begin: number,
    colour: string,
    wide: number,
  ) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    values.forEach((value, i) => context.lineTo(this.x(begin + i), this.y(value)));
    context.stroke();
  }

  private band(
    context: CanvasRenderingContext2D,
    given: Float32Array,
    low: Float32Array,
    high: Float32Array,
    colour: string,
  ): void {
    const below = this.from(given, low),
      above = this.from(given, high);
    context.globalAlpha = 0.16;
    context.fillStyle = colour;
    context.beginPath();
    below.forEach((value, i) => context.lineTo(this.x(this.given - 1 + i), this.y(value)));
    above.reverse().forEach((value, i) => context.lineTo(this.x(this.steps - 1 - i), this.y(value)));
    context.fill();
    context.globalAlpha = 1;
  }

  private axes(context: CanvasRenderingContext2D, faint: string, grid: string, width: number, height: number): void {
    const { name, mean, deviation } = this.about[this.channel];
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = faint;
    context.strokeStyle = grid;
    context.lineWidth = 1;
    const marks = ticks(mean + deviation * this.range[0], mean + deviation * this.range[1], 5);
    const decimals = marks.length > 1 ? decimalsFor(marks[1] - marks[0]) : 0;
    context.textAlign = "right";
    for (const mark of marks) {
      const y = this.y((mark - mean) / deviation);
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(width - RIGHT, y);
      context.stroke();
      context.fillText(formatNumber(mark, decimals), LEFT - 6, y + 4);
    }
    const border = this.x(this.given - 0.5);
    context.strokeStyle = faint;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(border, TOP);
    context.lineTo(border, height - BOTTOM);
    context.stroke();
    context.setLineDash([]);
    const foot = height - 8;
    context.textAlign = "left";
    context.fillText(name, 4, foot);
    context.textAlign = "right";
    context.fillText("given: draw here ◂", border - 8, height - BOTTOM + 15);
    context.textAlign = "left";
    context.fillText("▸ what comes next", border + 8, height - BOTTOM + 15);
    context.textAlign = "right";
    context.fillText(`${this.steps} steps`, width - RIGHT, foot);
  }
}
