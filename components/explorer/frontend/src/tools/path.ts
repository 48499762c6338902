/** A path through two or more places: the code walks from one to the next. With three of them, arithmetic. */

import { causeNow, causeOf, type Cause } from "../cause";
import type { Context } from "../context";
import { h, setText } from "../dom";
import { addAndSubtract, pointOnPath, stopName, type Point } from "../maths";
import { term } from "../tips";
import { PlayButton } from "./play";
import { Tool } from "./tool";

const SNAP = "A click takes the real sample that is nearest on the map, instead of the very place.";
const ARC = "On an arc around 0, where codes of this kind of network are frequent, instead of the straight line.";
const SUM =
  "Takes three stops. What A has and C has not is added to B: the code of A plus that of B minus that of C, number by number.";

export class Path extends Tool {
  readonly id = "path";
  readonly title = "Path";
  readonly help = "Click two or more places and walk from one to the next";
  override readonly panel: HTMLElement;
  override readonly hasRings = false;
  private stops: { code: Float32Array; sample: number | null }[] = [];
  /** Where on the path the code is, from 0 to 1. */
  private position = 0;
  private playing = 0;
  private lastFrame = 0;
  private forward = true;
  private readonly summary = h("p", { class: "hg-sum", data: { testid: "path-summary" } });
  private readonly scrub = h("input", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.001",
    value: "0",
    data: { testid: "path-position" },
    aria: { label: "Place on the path" },
    on: {
      input: (event: Event) => (this.pause(), this.go(Number(this.scrub.value), causeOf(event))),
      change: () => this.context.reporter.code(),
    },
  });
  private readonly playButton = new PlayButton("path-play", () => (this.playing ? this.pause() : this.play()));
  private readonly spherical = h("input", {
    type: "checkbox",
    data: { testid: "path-spherical" },
    on: { change: () => this.changed() },
  });
  private readonly snap = h("input", { type: "checkbox", checked: true, data: { testid: "path-snap" } });
  private readonly strip = h("div", { class: "hg-strip", data: { testid: "path-strip" } });
  private readonly sumButton = h(
    "button",
    {
      type: "button",
      data: { testid: "path-arithmetic" },
      on: { click: () => this.arithmetic() },
    },
    "A + B \u2212 C",
  );
  private readonly undo = h("button", { type: "button", on: { click: () => this.removeLast() } }, "Undo");
  private readonly clearing = h(
    "button",
    { type: "button", data: { testid: "path-clear" }, on: { click: () => ((this.stops = []), this.changed()) } },
    "Clear",
  );
  private readonly walk: HTMLElement;
  private pressed: Point = [0, 0];

  constructor(context: Context) {
    super(context);
    this.walk = h("div", { class: "hg-walk" }, this.playButton.element, this.scrub);
    this.panel = h(
      "section",
      { aria: { label: "Path" } },
      h("h3", {}, "Path"),
      this.summary,
      this.walk,
      this.strip,
      h(
        "div",
        { class: "hg-buttons" },
        h("label", { class: "hg-check" }, this.snap, term("At samples", SNAP)),
        h(
          "label",
          { class: "hg-check", hidden: !context.card.architecture.variational },
          this.spherical,
          term("On an arc", ARC),
        ),
        h("span", { class: "hg-explained", data: { tip: SUM } }, this.sumButton),
        this.undo,
        this.clearing,
      ),
    );
    this.changed();
  }

  down(at: Point): void {
    this.pressed = at;
  }

  drag(at: Point, cause: Cause): void {
    if (Math.hypot(at[0] - this.pressed[0], at[1] - this.pressed[1]) > 3) {
      this.pause();
      this.context.state.set("pinned", true);
      this.follow(at, cause);
    }
  }

  up(at: Point, moved: boolean): void {
    if (moved) return;
    const target = this.context.places.codeAt(at[0], at[1]);
    if (target) this.add(target.code, target.picked);
  }

  override key(key: string): boolean {
    if (key === "Enter") {
      this.add(this.context.state.now.code, this.context.state.now.picked);
      return true;
    }
    if (key === "Backspace" && this.stops.length) {
      this.removeLast();
      return true;
    }
    return false;
  }

  private add(code: Float32Array, picked: number | null): void {
    const nearest = this.snap.checked && picked === null ? this.nearestOnMap(code) : null;
    this.stops.push(
      nearest === null
        ? { code: Float32Array.from(code), sample: picked }
        : { code: this.context.data.codeOf(nearest), sample: nearest },
    );
    this.context.state.set("pinned", true);
    this.goToLast();
    this.changed();
    this.context.announcer.say(() => `${this.summary.textContent}`);
  }

  /** Shows the last stop, and the slider stands there. */
  private goToLast(): void {
    const stop = this.stops.at(-1);
    if (!stop) return;
    this.pause();
    this.position = 1;
    this.scrub.value = "1";
    this.context.setCode(stop.code, causeNow(), stop.sample);
  }

  /** Takes the last stop away. */
  private removeLast(): void {
    this.stops.pop();
    this.goToLast();
    this.changed();
  }

  /** The sample nearest on the map, not in the whole code: the one that lies under the pointer. */
  private nearestOnMap(code: Float32Array): number | null {
    const { plane } = this.context.places;
    const target = plane.place(code);
    if (!target) return null;
    let best = -1,
      least = Infinity;
    for (let p = 0; 2 * p < plane.xy.length; p++) {
      if (!this.context.colouring.isVisible(plane.index ? plane.index[p] : p)) continue;
      const d = (plane.xy[2 * p] - target[0]) ** 2 + (plane.xy[2 * p + 1] - target[1]) ** 2;
      if (d < least) [best, least] = [p, d];
    }
    return best < 0 ? null : plane.index ? plane.index[best] : best;
  }

  private changed(): void {
    const n = this.stops.length;
    this.context.state.set("path", { codes: this.codes, spherical: this.spherical.checked });
    if (n < 2) this.pause();
    const names = this.stops.map((_, i) => stopName(i)).join(" \u2192 ");
    setText(
      this.summary,
      n === 0
        ? "Click two or more places on the map. With the keyboard: arrows move, Enter sets a stop."
        : n === 1
          ? `${names}. Click the next place.`
          : names,
    );
    this.walk.hidden = this.strip.hidden = n < 2;
    this.sumButton.disabled = n < 3;
    this.undo.disabled = this.clearing.disabled = n === 0;
    this.playButton.show(this.playing > 0);
    this.context.map.redraw("overlay");
    if (n >= 2) this.fill();
  }

  private fill(): void {
    const frames = 9;
    while (this.strip.children.length < frames) this.strip.append(this.context.painter.canvas("hg-thumb"));
    for (let k = 0; k < frames; k++)
      this.context.decoding.paint(
        pointOnPath(this.codes, k / (frames - 1), this.spherical.checked),
        this.strip.children[k] as HTMLCanvasElement,
      );
  }

  private get codes(): Float32Array[] {
    return this.stops.map((stop) => stop.code);
  }

  private go(t: number, cause: Cause): void {
    this.position = t;
    this.scrub.value = String(t);
    this.context.state.set("pinned", true);
    this.context.setCode(pointOnPath(this.codes, t, this.spherical.checked), cause);
  }

  private play(): void {
    this.lastFrame = performance.now();
    if (this.position >= 1) this.position = 0;
    this.forward = true;
    const seconds = 1.6 * (this.stops.length - 1);
    const step = () => {
      const time = performance.now();
      const by = (time - this.lastFrame) / 1000 / seconds;
      this.lastFrame = time;
      let t = this.position + (this.forward ? by : -by);
      // Back and forth without end is motion nobody asked for where motion is unwelcome: then it plays once.
      if (t >= 1 && this.context.reducedMotion) {
        this.go(1, causeNow());
        return this.pause();
      }
      if (t > 1 || t < 0) {
        this.forward = !this.forward;
        t = Math.max(0, Math.min(1, t));
      }
      this.go(t, causeNow());
      this.playing = requestAnimationFrame(step);
    };
    this.playing = requestAnimationFrame(step);
    this.playButton.show(this.playing > 0);
  }

  private pause(): void {
    if (!this.playing) return;
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.playButton.show(this.playing > 0);
    this.context.reporter.code();
  }

  private arithmetic(): void {
    const [a, b, c] = this.stops;
    if (!c) return;
    this.pause();
    this.context.state.set("pinned", true);
    this.context.setCode(addAndSubtract(a.code, b.code, c.code), causeNow());
    this.context.reporter.code();
  }

  override close(): void {
    this.pause();
  }

  override planeChanged(): void {
    this.context.map.redraw("overlay");
  }

  override get draws(): boolean {
    return this.stops.length > 0;
  }

  override draw(pixels: CanvasRenderingContext2D): void {
    const { context } = this;
    const { ink } = context.map;
    if (this.stops.length > 1 && context.places.plane.move) {
      pixels.beginPath();
      for (let k = 0; k <= 96; k++) {
        const at = context.places.pixelOf(pointOnPath(this.codes, k / 96, this.spherical.checked));
        if (at) pixels.lineTo(at[0], at[1]);
      }
      for (const [colour, width] of [
        [ink.paper, 5],
        [ink.text, 2],
      ] as const) {
        pixels.strokeStyle = colour;
        pixels.lineWidth = width;
        pixels.stroke();
      }
    }
    pixels.font = "600 12px system-ui, sans-serif";
    pixels.textAlign = "center";
    pixels.textBaseline = "middle";
    this.stops.forEach((stop, i) => {
      const at = context.places.pixelOf(stop.code, stop.sample);
      if (!at) return;
      pixels.beginPath();
      pixels.arc(at[0], at[1], 10, 0, 7);
      pixels.fillStyle = ink.text;
      pixels.fill();
      pixels.strokeStyle = ink.paper;
      pixels.lineWidth = 2;
      pixels.stroke();
      pixels.fillStyle = ink.paper;
      pixels.fillText(stopName(i), at[0], at[1] + 0.5);
    });
  }
}
