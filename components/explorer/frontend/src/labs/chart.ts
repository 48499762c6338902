/** A figure of lines, with a place on it that a hand drags where it is asked for; it leaves as SVG, as PNG and as CSV. */

import { decimalsFor, formatNumber, ticks } from "../maths";
import { cell, NS, paperOf, svg, type Figure } from "./figure";

export interface Series {
  readonly name: string;
  readonly title: string;
  readonly colour: string;
  /** The line that the figure is about is drawn thicker. */
  readonly main?: boolean;
  readonly dashed?: boolean;
  /** Without a dot at each point. */
  readonly plain?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** How far each point scatters: drawn as a bar through it. */
  readonly deviations?: readonly number[];
}

export interface Axis {
  readonly title: string;
  readonly log?: boolean;
  readonly low: number;
  readonly high: number;
  /** Where alone the handle can stand, rising. */
  readonly stops?: readonly number[];
}

const WIDTH = 640,
  HEIGHT = 330, // on a laptop all of it is on screen below what stands above
  LEFT = 54,
  RIGHT = 16,
  TOP = 14,
  BOTTOM = 46;

let charts = 0;

export class Chart implements Figure {
  readonly element: SVGSVGElement;
  private readonly lines = svg("g", {});
  private readonly clip = svg("clipPath", { id: `hg-lab-${++charts}` });
  private readonly frame = svg("g", {});
  private readonly handle = svg("g", { class: "hg-lab-handle", role: "slider", tabindex: 0 });
  private x: Axis = { title: "", low: 0, high: 1 };
  private y: Axis = { title: "", low: 0, high: 1 };
  private series: readonly Series[] = [];
  private at = 0;

  /** `moved` is called while the place on the horizontal axis is dragged or moved by keys. */
  constructor(
    label: string,
    private readonly moved: (x: number) => void,
    testid: string,
    /** Nothing is dragged on it. */
    still = false,
  ) {
    this.element = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "hg-lab-chart" });
    this.element.dataset["testid"] = testid;
    this.handle.setAttribute("aria-label", label);
    this.handle.dataset["testid"] = `${testid}-handle`;
    const box = { x: LEFT - 6, y: TOP - 6, width: WIDTH - LEFT - RIGHT + 12, height: HEIGHT - TOP - BOTTOM + 12 };
    this.clip.append(svg("rect", box));
    this.lines.setAttribute("clip-path", `url(#${this.clip.id})`);
    this.element.append(this.clip, this.frame, this.lines);
    if (still) {
      this.element.style.cursor = "auto";
      this.element.setAttribute("role", "img");
      this.element.setAttribute("aria-label", label);
      return;
    }
    this.element.append(this.handle);
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      this.handle.focus({ preventScroll: true });
      this.drag(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) this.drag(event);
    });
    this.handle.addEventListener("keydown", (event) => this.key(event));
  }

  /** Draws everything anew. */
  draw(x: Axis, y: Axis, series: readonly Series[]): void {
    [this.x, this.y, this.series] = [x, y, series];
    this.frame.replaceChildren(...this.axes());
    this.redraw();
  }

  /** Draws the lines anew on the same axes. */
  lined(series: readonly Series[]): void {
    this.series = series;
    this.redraw();
  }

  /** Puts the handle at x; `words` is what it says to those who listen. */
  place(x: number, words: string): void {
    this.at = x;
    const px = this.across(x);
    this.handle.replaceChildren(
      svg("line", { x1: px, x2: px, y1: TOP, y2: HEIGHT - BOTTOM }),
      svg("circle", { cx: px, cy: HEIGHT - BOTTOM, r: 8 }),
    );
    for (const [name, value] of Object.entries({ valuemin: this.x.low, valuemax: this.x.high, valuenow: x }))
      this.handle.setAttribute(`aria-${name}`, String(value));
    this.handle.setAttribute("aria-valuetext", words);
  }

  private redraw(): void {
    this.lines.replaceChildren(
      ...this.series.flatMap(({ name, colour, points, main, dashed, plain, deviations }) => {
        const places = points.map(([x, y]) => `${this.across(x).toFixed(1)},${this.up(y).toFixed(1)}`);
        const line = svg("polyline", {
          points: places.join(" "),
          fill: "none",
          stroke: colour,
          "stroke-width": main ? 3.5 : 2,
          "stroke-linejoin": "round",
          "data-series": name,
          ...(dashed ? { "stroke-dasharray": "6 5" } : {}),
        });
        const dots = points.map(([x, y]) =>
          svg("circle", { cx: this.across(x), cy: this.up(y), r: main ? 4 : 2.6, fill: colour }),
        );
        const bars = (deviations ?? []).map((deviation, i) => {
          const [x, y] = points[i];
          const px = this.across(x);
          const ends = { x1: px, x2: px, y1: this.up(y - deviation), y2: this.up(y + deviation) };
          return svg("line", { ...ends, stroke: colour, "stroke-width": 1.5, "stroke-opacity": 0.6 });
        });
        return [line, ...bars, ...(dashed || plain ? [] : dots)];
      }),
    );
  }

  private axes(): SVGElement[] {
    const out: SVGElement[] = [];
    const bottom = HEIGHT - BOTTOM;
    for (const value of marksOf(this.x, 7)) {
      const x = this.across(value);
      out.push(
        svg("line", { x1: x, x2: x, y1: TOP, y2: bottom, class: "hg-lab-grid" }),
        svg("text", { x, y: bottom + 20, "text-anchor": "middle" }, short(value)),
      );
    }
    const marks = marksOf(this.y, 6);
    const decimals = marks.length > 1 ? decimalsFor(marks[1] - marks[0]) : 0;
    for (const value of marks) {
      const y = this.up(value);
      out.push(
        svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: "hg-lab-grid" }),
        svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, formatNumber(value, decimals)),
      );
    }
    const middle = (TOP + bottom) / 2;
    out.push(
      svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, this.x.title),
      svg("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, this.y.title),
    );
    return out;
  }

  private across(x: number): number {
    return LEFT + shareOf(this.x, x) * (WIDTH - LEFT - RIGHT);
  }

  private up(y: number): number {
    return HEIGHT - BOTTOM - shareOf(this.y, y) * (HEIGHT - TOP - BOTTOM);
  }

  private drag(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * WIDTH;
    this.moved(valueAt(this.x, (px - LEFT) / (WIDTH - LEFT - RIGHT)));
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1 }[
      event.key
    ];
    if (step !== undefined) this.moved(movedBy(this.x, this.at, step));
    else if (event.key === "Home") this.moved(valueAt(this.x, 0));
    else if (event.key === "End") this.moved(valueAt(this.x, 1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The figure as a file of its own, where there are no variables of the page. */
  file(): string {
    const copy = this.element.cloneNode(true) as SVGSVGElement;
    const style = getComputedStyle(this.element);
    copy.setAttribute("xmlns", NS);
    copy.setAttribute("width", String(WIDTH));
    copy.setAttribute("height", String(HEIGHT + 18 * this.series.length));
    copy.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT + 18 * this.series.length}`);
    copy.querySelector(".hg-lab-handle")?.remove();
    const ink = style.color;
    const rules = `text{font:12px system-ui,sans-serif;fill:${ink}} .hg-lab-grid{stroke:${ink};stroke-opacity:.15}`;
    copy.prepend(svg("style", {}, rules), svg("rect", { width: "100%", height: "100%", fill: paperOf(this.element) }));
    this.series.forEach(({ title, colour }, i) => {
      const y = HEIGHT + 18 * i + 6;
      copy.append(
        svg("rect", { x: LEFT, y: y - 6, width: 22, height: 4, fill: colour }),
        svg("text", { x: LEFT + 30, y }, title),
      );
    });
    const drawing = new XMLSerializer().serializeToString(copy);
    return drawing.replace(/var\((--[a-z]+)\)/g, (_, name: string) => style.getPropertyValue(name).trim() || "#2563eb");
  }

  /** The numbers behind the lines. */
  csv(): string {
    const rows = this.series.flatMap(({ title, points }) => points.map(([x, y]) => `${cell(title)},${x},${y}`));
    return [`method,${cell(this.x.title)},${cell(this.y.title)}`, ...rows].join("\r\n") + "\r\n";
  }
}

const shareOf = ({ low, high, log }: Axis, value: number): number =>
  log ? Math.log(Math.max(value, 1e-12) / low) / Math.log(high / low) : (value - low) / (high - low || 1);

/** The value at a share of an axis; of one with stops, the nearest stop. */
export function valueAt(axis: Axis, share: number): number {
  const { low, high, log, stops } = axis;
  const within = Math.min(1, Math.max(0, share));
  if (!stops?.length) return log ? low * (high / low) ** within : low + within * (high - low);
  const away = (stop: number) => Math.abs(shareOf(axis, stop) - within);
  return stops.reduce((a, b) => (away(b) < away(a) ? b : a));
}

/** Where a key leads to that moves by a share of an axis: to another stop, where there are stops. */
export function movedBy(axis: Axis, from: number, by: number): number {
  const { stops } = axis,
    share = shareOf(axis, from);
  if (!stops?.length) return valueAt(axis, share + by);
  const far = Math.sign(by) * Math.max(1, Math.round(Math.abs(by) * stops.length));
  const at = stops.indexOf(valueAt(axis, share)) + far;
  return stops[Math.min(stops.length - 1, Math.max(0, at))];
}

/** Round numbers within an axis: 1, 2 and 5 times powers of ten on a logarithmic one. */
export function marksOf({ low, high, log }: Axis, count: number): number[] {
  if (!log) return ticks(low, high, count);
  const out: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
    for (const digit of high / low > 2000 ? [1] : [1, 2, 5]) {
      const value = Number((digit * 10 ** power).toPrecision(2));
      if (value >= low && value <= high) out.push(value);
    }
  return out;
}

/** A number with few characters: 0.5, 20, 3k, 2M. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** The y of a line at x, in proportion on a logarithmic axis; null left of its first point. Right of its last it stays. */
export function along(points: readonly (readonly [number, number])[], x: number): number | null {
  if (!points.length || x < points[0][0]) return null;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1],
      [x1, y1] = points[i];
    if (x <= x1) return y0 + ((y1 - y0) * Math.log(x / x0)) / Math.log(x1 / x0);
  }
  return points[points.length - 1][1];
}

/** The least x at which a line that only rises reaches y; null where it never does. */
export function reaching(points: readonly (readonly [number, number])[], y: number): number | null {
  if (!points.length) return null;
  if (y <= points[0][1]) return points[0][0];
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1],
      [x1, y1] = points[i];
    if (y <= y1) return x0 * (x1 / x0) ** ((y - y0) / (y1 - y0));
  }
  return null;
}
