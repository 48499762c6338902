/** The ways of using the map: explore, lasso, path, draw, replay. Each owns its panel and what it draws on the map. */

import type { Network } from "./decode";
import { h, icon, text } from "./dom";
import type { Explorer } from "./explorer";
import { along, combine, countClasses, fromPixel, meanSquaredError, project, select, toPixel } from "./maths";
import { flatContext } from "./map";
import type { Cause } from "./panels";
import { toPixels, type Sampled } from "./paint";
import { Fault } from "./run";

type At = readonly [number, number];
const now = (): Cause => ({ begun: performance.now(), stamp: performance.now() });

export abstract class Tool {
  readonly tab: HTMLButtonElement;
  readonly panel: HTMLElement | null = null;
  /** Without rings around the neighbours: they would clutter what the tool draws. */
  readonly quiet: boolean = false;

  constructor(
    protected readonly desk: Explorer,
    readonly id: string,
    title: string,
    help: string,
  ) {
    this.tab = h(
      "button",
      { type: "button", title: help, data: { testid: `tool-${id}` }, on: { click: () => desk.use(this) } },
      title,
    );
  }

  get possible(): boolean {
    return true;
  }

  /** Whether it has anything to draw above the points now. */
  get draws(): boolean {
    return false;
  }

  /** Whether the code follows a pointer that only passes. */
  get follows(): boolean {
    return true;
  }

  /** It does so unless a person holds it where it is. */
  hover(at: At, cause: Cause): void {
    if (this.follows && !this.desk.pinned) this.follow(at, cause);
  }

  protected follow(at: At, cause: Cause): void {
    const next = this.desk.codeAt(at[0], at[1]);
    if (next) this.desk.setCode(next.code, cause, next.picked);
  }

  abstract down(at: At, cause: Cause): void;
  abstract drag(at: At, cause: Cause): void;
  abstract up(at: At, moved: boolean, cause: Cause): void;
  open?(): void;
  close?(): void;
  cancel?(): void;
  key?(key: string, cause: Cause): boolean;
  draw?(context: CanvasRenderingContext2D): void;
  planeChanged?(): void;
  rested?(): void;
  /** The originals are here. */
  arrived?(): void;
  decodedNow?(values: Float32Array): void;
}

/** Moving shows, dragging carries the marker, a click holds it; a click on the held marker lets it go. */
export class Explore extends Tool {
  private onMarker = false;
  private wasPinned = false;

  constructor(desk: Explorer) {
    super(
      desk,
      "explore",
      "Explore",
      "Move over the map to decode; click to hold a place; Shift-drag or right-drag to move the map",
    );
  }

  down(at: At, cause: Cause): void {
    const marker = this.desk.pixelOf(this.desk.code, this.desk.picked);
    this.wasPinned = this.desk.pinned;
    this.onMarker = this.wasPinned && marker !== null && Math.hypot(marker[0] - at[0], marker[1] - at[1]) < 14;
    this.desk.pinned = true;
    if (!this.onMarker) this.follow(at, cause);
  }

  drag(at: At, cause: Cause): void {
    this.follow(at, cause);
  }

  up(_at: At, moved: boolean): void {
    this.desk.setPinned(!(this.onMarker && !moved));
    if (this.desk.pinned) this.desk.tell();
  }
}

export class Lasso extends Tool {
  override readonly panel: HTMLElement;
  override readonly quiet = true;
  private readonly summary = h("p", { class: "hg-sum", data: { testid: "lasso-summary" } });
  private readonly bars = h("div", { class: "hg-bars", data: { testid: "lasso-classes" } });
  private readonly gallery = h("div", { class: "hg-gallery", data: { testid: "lasso-gallery" } });
  private readonly more = h(
    "button",
    { type: "button", hidden: true, on: { click: () => this.fill(this.page + 1) } },
    "Others",
  );
  private readonly closing = h(
    "button",
    { type: "button", hidden: true, data: { testid: "lasso-close" }, on: { click: () => this.finish() } },
    "Close the shape",
  );
  private readonly clearing = h(
    "button",
    { type: "button", hidden: true, data: { testid: "lasso-clear" }, on: { click: () => this.clear(true) } },
    "Clear",
  );
  /** Corners in coordinates of the plane, so that the shape stays on its points when the map moves. */
  private polygon: number[] = [];
  private closed = false;
  private chosen: Int32Array = new Int32Array(0);
  private page = 0;
  private lastPixel: At = [0, 0];

  constructor(desk: Explorer) {
    super(desk, "lasso", "Lasso", "Draw around points to select them");
    this.panel = h(
      "section",
      { aria: { label: "Lasso" } },
      h("h3", {}, "Selection"),
      this.summary,
      this.bars,
      this.gallery,
      h("div", { class: "hg-buttons" }, this.closing, this.more, this.clearing),
    );
    this.clear(false);
  }

  override open(): void {
    if (this.closed) this.mark();
  }

  override close(): void {
    this.desk.map.setChosen(null);
  }

  down(at: At): void {
    this.clear(false);
    this.add(at);
  }

  drag(at: At): void {
    // Corners nearer than three pixels add work and no shape.
    if (Math.hypot(at[0] - this.lastPixel[0], at[1] - this.lastPixel[1]) >= 3) this.add(at);
  }

  up(): void {
    if (this.polygon.length >= 6) this.finish();
    else this.clear(true);
  }

  override cancel(): void {
    this.clear(false);
  }

  override arrived(): void {
    if (this.closed) this.fill(this.page);
  }

  override key(key: string): boolean {
    const marker = this.desk.pixelOf(this.desk.code, this.desk.picked);
    if (key === "Enter" && marker) {
      if (this.closed) this.clear(false);
      this.add(marker);
      return true;
    }
    if (key === "Backspace" && !this.closed) {
      this.polygon.length = Math.max(0, this.polygon.length - 2);
      this.desk.map.ask("sheet");
      return true;
    }
    return false;
  }

  private add(at: At): void {
    this.lastPixel = at;
    this.polygon.push(...fromPixel(this.desk.map.camera, at[0], at[1]));
    this.closing.hidden = this.polygon.length < 6;
    this.desk.map.ask("sheet");
  }

  private finish(): void {
    const { plane, map } = this.desk;
    this.closed = true;
    this.closing.hidden = true;
    // Rounded before it is used: Python counts with the very corners that it is told.
    this.polygon = this.polygon.map((v) => Number(v.toPrecision(7)));
    const sample = (p: number) => (plane.index ? plane.index[p] : p);
    const points = select(plane.xy, this.polygon, (p) => this.desk.seen(sample(p)));
    this.chosen = plane.index ? points.map((p) => plane.index![p]) : points;
    this.mark(points);
    this.report();
    this.fill(0);
    map.ask("sheet");
    this.desk.tellSelection(this.polygon, this.chosen.length);
    this.desk.announcer.say(() => `${this.chosen.length.toLocaleString("en")} samples selected`);
  }

  private mark(points?: Int32Array): void {
    const { plane, map } = this.desk;
    const flags = new Uint8Array(plane.xy.length / 2);
    const sample = (p: number) => (plane.index ? plane.index[p] : p);
    for (const p of points ?? select(plane.xy, this.polygon, (q) => this.desk.seen(sample(q)))) flags[p] = 1;
    if (map.count === flags.length) map.setChosen(flags);
  }

  private report(): void {
    const { desk } = this;
    const { classes } = desk.card.dataset;
    const n = this.chosen.length;
    text(
      this.summary,
      n
        ? `${n.toLocaleString("en")} of ${(desk.plane.xy.length / 2).toLocaleString("en")} samples`
        : "No sample is inside this shape.",
    );
    const counts = classes.length
      ? [...countClasses(desk.labels, this.chosen, classes.length)]
          .map((count, c) => ({ count, c }))
          .filter((e) => e.count)
          .sort((a, b) => b.count - a.count)
      : [];
    const most = counts[0]?.count ?? 1;
    this.bars.replaceChildren(
      ...counts.slice(0, 12).map(({ count, c }) => {
        const bar = h("span", { class: "hg-bar" }, h("i", {}));
        bar.style.setProperty("--share", String(count / most));
        bar.style.setProperty("--class", c < classes.length ? `rgb(${desk.colourOf(c).join(" ")})` : "gray");
        return h(
          "div",
          {},
          h("span", { class: "hg-class" }, classes[c] ?? "no label"),
          bar,
          h("span", { class: "hg-number" }, count.toLocaleString("en")),
        );
      }),
    );
    this.clearing.hidden = false;
    this.more.hidden = n <= 8;
  }

  /** Eight of the chosen, spread over them: the original above what is decoded from its code. */
  private fill(page: number): void {
    this.page = page;
    const { desk } = this;
    const n = this.chosen.length,
      show = Math.min(8, n);
    const cells = Array.from({ length: show }, (_, k) => {
      const index = this.chosen[Math.floor(((k + ((this.page * 0.618) % 1)) * n) / show) % n];
      const original = desk.painter.canvas("hg-thumb"),
        decoded = desk.painter.canvas("hg-thumb");
      const at = desk.original(index);
      if (at) desk.painter.paint(original, at);
      void desk.paintDecoded(desk.codeOf(index), decoded);
      return h(
        "button",
        { type: "button", title: desk.named("Go to this sample", index), on: { click: () => desk.goTo(index) } },
        at ? original : null,
        decoded,
      );
    });
    this.gallery.replaceChildren(...cells);
  }

  private clear(tell: boolean): void {
    const had = this.closed;
    this.polygon = [];
    this.closed = false;
    this.chosen = new Int32Array(0);
    this.bars.replaceChildren();
    this.gallery.replaceChildren();
    for (const element of [this.more, this.closing, this.clearing]) element.hidden = true;
    text(this.summary, "Draw around points on the map. With the keyboard: arrows move, Enter sets a corner.");
    this.desk.map.setChosen(null);
    this.desk.map.ask("sheet");
    if (tell && had) this.desk.tellSelection(null, 0);
  }

  override planeChanged(): void {
    this.clear(true);
  }

  override get draws(): boolean {
    return this.polygon.length > 0;
  }

  override draw(context: CanvasRenderingContext2D): void {
    if (this.polygon.length < 2) return;
    const { camera, ink } = this.desk.map;
    context.beginPath();
    for (let i = 0; i < this.polygon.length; i += 2)
      context.lineTo(...toPixel(camera, this.polygon[i], this.polygon[i + 1]));
    if (this.closed) context.closePath();
    context.strokeStyle = ink.paper;
    context.lineWidth = 4;
    context.stroke();
    context.strokeStyle = ink.text;
    context.lineWidth = 1.5;
    context.setLineDash(this.closed ? [] : [5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}

export class Path extends Tool {
  override readonly panel: HTMLElement;
  override readonly quiet = true;
  private stops: { code: Float32Array; sample: number | null }[] = [];
  private at = 0;
  private playing = 0;
  private last = 0;
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
      input: (event: Event) => (
        this.pause(),
        this.go(Number(this.scrub.value), { begun: performance.now(), stamp: event.timeStamp })
      ),
      change: () => this.desk.tell(),
    },
  });
  private readonly playButton = h("button", {
    type: "button",
    class: "hg-icon",
    data: { testid: "path-play" },
    on: { click: () => (this.playing ? this.pause() : this.play()) },
  });
  private readonly sphere = h("input", {
    type: "checkbox",
    data: { testid: "path-spherical" },
    on: { change: () => this.changed() },
  });
  private readonly snap = h("input", { type: "checkbox", checked: true, data: { testid: "path-snap" } });
  private readonly strip = h("div", { class: "hg-strip", data: { testid: "path-strip" } });
  private readonly sum = h(
    "button",
    {
      type: "button",
      data: { testid: "path-arithmetic" },
      title: "Go from C to A, starting at B: what A has and C has not, added to B",
      on: { click: () => this.arithmetic() },
    },
    "A + B \u2212 C",
  );
  private readonly undo = h(
    "button",
    { type: "button", on: { click: () => (this.stops.pop(), this.changed()) } },
    "Remove last",
  );
  private readonly clearing = h(
    "button",
    { type: "button", data: { testid: "path-clear" }, on: { click: () => ((this.stops = []), this.changed()) } },
    "Clear",
  );
  private readonly walk: HTMLElement;
  private filling = 0;
  private pressed: At = [0, 0];

  constructor(desk: Explorer) {
    super(desk, "path", "Path", "Click two or more places and walk from one to the next");
    this.walk = h("div", { class: "hg-walk" }, this.playButton, this.scrub);
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
        h("label", { class: "hg-check" }, this.snap, "Take the nearest sample"),
        h(
          "label",
          {
            class: "hg-check",
            title: "Along the arc around the origin instead of the straight line",
            hidden: !desk.card.architecture.variational,
          },
          this.sphere,
          "Spherical",
        ),
        this.sum,
        this.undo,
        this.clearing,
      ),
    );
    this.changed();
  }

  down(at: At): void {
    this.pressed = at;
  }

  drag(at: At, cause: Cause): void {
    if (Math.hypot(at[0] - this.pressed[0], at[1] - this.pressed[1]) > 3) {
      this.pause();
      this.desk.pinned = true;
      this.follow(at, cause);
    }
  }

  up(at: At, moved: boolean): void {
    if (moved) return;
    const next = this.desk.codeAt(at[0], at[1]);
    if (next) this.add(next.code, next.picked);
  }

  override key(key: string): boolean {
    if (key === "Enter") {
      this.add(this.desk.code, this.desk.picked);
      return true;
    }
    if (key === "Backspace" && this.stops.length) {
      this.stops.pop();
      this.changed();
      return true;
    }
    return false;
  }

  private add(code: Float32Array, picked: number | null): void {
    const nearest = this.snap.checked && picked === null ? this.nearestOnMap(code) : null;
    this.stops.push(
      nearest === null
        ? { code: Float32Array.from(code), sample: picked }
        : { code: this.desk.codeOf(nearest), sample: nearest },
    );
    this.desk.pinned = true;
    const stop = this.stops[this.stops.length - 1];
    this.desk.setCode(stop.code, now(), stop.sample);
    this.changed();
    this.desk.announcer.say(() => `${this.summary.textContent}`);
  }

  /** The sample nearest on the map, not in the whole code: the one that lies under the pointer. */
  private nearestOnMap(code: Float32Array): number | null {
    const { plane } = this.desk;
    const target = plane.place(code);
    if (!target) return null;
    let best = -1,
      least = Infinity;
    for (let p = 0; 2 * p < plane.xy.length; p++) {
      if (!this.desk.seen(plane.index ? plane.index[p] : p)) continue;
      const d = (plane.xy[2 * p] - target[0]) ** 2 + (plane.xy[2 * p + 1] - target[1]) ** 2;
      if (d < least) [best, least] = [p, d];
    }
    return best < 0 ? null : plane.index ? plane.index[best] : best;
  }

  private changed(): void {
    const n = this.stops.length;
    if (n < 2) this.pause();
    const names = this.stops.map((_, i) => letter(i)).join(" \u2192 ");
    text(
      this.summary,
      n === 0
        ? "Click two or more places on the map. With the keyboard: arrows move, Enter sets a stop."
        : n === 1
          ? `${names}. Click the next place.`
          : names,
    );
    this.walk.hidden = this.strip.hidden = n < 2;
    this.sum.disabled = n < 3;
    this.undo.disabled = this.clearing.disabled = n === 0;
    this.showButton();
    this.desk.map?.ask("sheet");
    if (n >= 2) void this.fill();
  }

  private showButton(): void {
    this.playButton.replaceChildren(icon(this.playing ? "pause" : "play"));
    this.playButton.title = this.playing ? "Pause" : "Play";
    this.playButton.setAttribute("aria-label", this.playButton.title);
  }

  private async fill(): Promise<void> {
    const mine = ++this.filling;
    const frames = 9;
    while (this.strip.children.length < frames) this.strip.append(this.desk.painter.canvas("hg-thumb"));
    for (let k = 0; k < frames && mine === this.filling; k++)
      await this.desk.paintDecoded(
        along(this.codes, k / (frames - 1), this.sphere.checked),
        this.strip.children[k] as HTMLCanvasElement,
      );
  }

  private get codes(): Float32Array[] {
    return this.stops.map((stop) => stop.code);
  }

  private go(t: number, cause: Cause): void {
    this.at = t;
    this.scrub.value = String(t);
    this.desk.pinned = true;
    this.desk.setCode(along(this.codes, t, this.sphere.checked), cause);
  }

  private play(): void {
    this.last = performance.now();
    if (this.at >= 1) this.at = 0;
    this.forward = true;
    const seconds = 1.6 * (this.stops.length - 1);
    const step = () => {
      const time = performance.now();
      const by = (time - this.last) / 1000 / seconds;
      this.last = time;
      let t = this.at + (this.forward ? by : -by);
      // Back and forth without end is motion nobody asked for where motion is unwelcome: then it plays once.
      if (t >= 1 && this.desk.still) {
        this.go(1, now());
        return this.pause();
      }
      if (t > 1 || t < 0) {
        this.forward = !this.forward;
        t = Math.max(0, Math.min(1, t));
      }
      this.go(t, now());
      this.playing = requestAnimationFrame(step);
    };
    this.playing = requestAnimationFrame(step);
    this.showButton();
  }

  private pause(): void {
    if (!this.playing) return;
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.showButton();
    this.desk.tell();
  }

  private arithmetic(): void {
    const [a, b, c] = this.stops;
    if (!c) return;
    this.pause();
    this.desk.pinned = true;
    this.desk.setCode(combine(a.code, b.code, c.code), now());
    this.desk.tell();
  }

  override close(): void {
    this.pause();
  }

  override planeChanged(): void {
    this.desk.map.ask("sheet");
  }

  override get draws(): boolean {
    return this.stops.length > 0;
  }

  override draw(context: CanvasRenderingContext2D): void {
    const { desk } = this;
    const { ink } = desk.map;
    if (this.stops.length > 1 && desk.plane.move) {
      context.beginPath();
      for (let k = 0; k <= 96; k++) {
        const at = desk.pixelOf(along(this.codes, k / 96, this.sphere.checked));
        if (at) context.lineTo(at[0], at[1]);
      }
      for (const [colour, width] of [
        [ink.paper, 5],
        [ink.text, 2],
      ] as const) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.stroke();
      }
    }
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.stops.forEach((stop, i) => {
      const at = desk.pixelOf(stop.code, stop.sample);
      if (!at) return;
      context.beginPath();
      context.arc(at[0], at[1], 10, 0, 7);
      context.fillStyle = ink.text;
      context.fill();
      context.strokeStyle = ink.paper;
      context.lineWidth = 2;
      context.stroke();
      context.fillStyle = ink.paper;
      context.fillText(letter(i), at[0], at[1] + 0.5);
    });
  }
}

const letter = (i: number): string => (i < 26 ? String.fromCharCode(65 + i) : String(i + 1));

/** A pad: what is drawn or dropped there goes through the encoder at once, and its code moves over the map. */
export class Draw extends Tool {
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
  private wanted: Cause | null = null;
  private busy = false;
  private values: Float32Array | null = null;
  private cursor: [number, number] = [0, 0];
  private penDown = false;

  constructor(desk: Explorer) {
    super(desk, "draw", "Draw", "Draw or drop an image: it is encoded while you draw");
    const [height, width, channels] = [
      desk.card.dataset.shape[0],
      desk.card.dataset.shape[1] ?? 1,
      desk.card.dataset.shape[2] ?? 1,
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
      h(
        "div",
        { class: "hg-buttons" },
        this.ink,
        this.brush,
        h("button", { type: "button", data: { testid: "draw-clear" }, on: { click: () => this.clear() } }, "Clear"),
        h(
          "button",
          {
            type: "button",
            data: { testid: "draw-nearest" },
            title: "Put the nearest original on the pad, to change it",
            on: { click: () => this.fromSample() },
          },
          "Nearest sample",
        ),
        h(
          "button",
          { type: "button", title: "Light becomes dark and dark light", on: { click: () => this.invert() } },
          "Invert",
        ),
        h("label", { class: "hg-button" }, "Open image", file),
      ),
    );
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.pad.width, this.pad.height);
    this.cursor = [this.pad.width / 2, this.pad.height / 2];
    this.listen();
  }

  override get possible(): boolean {
    const { kind, shape } = this.desk.card.dataset;
    return kind === "image" && shape.length === 3;
  }

  private get context(): CanvasRenderingContext2D {
    return flatContext(this.pad);
  }

  override open(): void {
    this.desk.pinned = true;
    if (this.network) return;
    text(this.message, "Fetching the encoder …");
    this.desk.encoder().then(
      (network) => {
        this.network = network;
        text(this.message, "Draw here, or drop an image on the pad.");
        if (this.wanted) void this.encode();
      },
      (error: unknown) => text(this.message, error instanceof Error ? error.message : String(error)),
    );
  }

  private listen(): void {
    const { pad } = this;
    let last: [number, number] | null = null;
    const place = (event: PointerEvent): [number, number] => {
      const box = pad.getBoundingClientRect();
      return [
        ((event.clientX - box.left) / box.width) * pad.width,
        ((event.clientY - box.top) / box.height) * pad.height,
      ];
    };
    pad.addEventListener("pointerdown", (event) => {
      const cause = { begun: performance.now(), stamp: event.timeStamp };
      pad.setPointerCapture(event.pointerId);
      last = place(event);
      this.stroke(last, last, cause);
    });
    pad.addEventListener("pointermove", (event) => {
      if (!last) return;
      const cause = { begun: performance.now(), stamp: event.timeStamp };
      // All places since the last frame: a fast stroke stays round.
      for (const one of event.getCoalescedEvents?.() ?? [event]) {
        const at = place(one);
        this.line(last, at);
        last = at;
      }
      this.stroke(last, last, cause);
    });
    const end = () => {
      if (last) this.desk.tell();
      last = null;
    };
    pad.addEventListener("pointerup", end);
    pad.addEventListener("pointercancel", end);
    pad.addEventListener("keydown", (event) => {
      const step = (pad.width / this.size[1]) * (event.shiftKey ? 3 : 1);
      const by = (
        { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] } as Record<
          string,
          [number, number]
        >
      )[event.key];
      const cause = { begun: performance.now(), stamp: event.timeStamp };
      if (event.key === " ") {
        this.penDown = !this.penDown;
        text(this.message, this.penDown ? "The brush is down." : "The brush is up.");
        if (this.penDown) this.stroke(this.cursor, this.cursor, cause);
      } else if (by) {
        const next: [number, number] = [
          Math.max(0, Math.min(pad.width, this.cursor[0] + by[0])),
          Math.max(0, Math.min(pad.height, this.cursor[1] + by[1])),
        ];
        if (this.penDown) this.stroke(this.cursor, next, cause);
        this.cursor = next;
      } else return;
      event.preventDefault();
    });
    for (const name of ["dragover", "drop"] as const)
      this.panel.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") void this.take(event.dataTransfer?.files[0] ?? null);
      });
  }

  private line(from: At, to: At): void {
    const { context } = this;
    context.strokeStyle = this.size[2] < 3 ? "#fff" : this.ink.value;
    context.lineWidth = Number(this.brush.value) * Math.min(this.pad.width, this.pad.height);
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(from[0], from[1]);
    context.lineTo(to[0] + 0.01, to[1]); // a line of no length is not drawn by every browser
    context.stroke();
  }

  private stroke(from: At, to: At, cause: Cause): void {
    this.line(from, to);
    this.changed(cause);
  }

  private changed(cause: Cause): void {
    this.wanted = cause;
    if (!this.busy) void this.encode();
  }

  /** The newest drawing through the encoder; the decoder then follows as for any code. */
  private async encode(): Promise<void> {
    const cause = this.wanted;
    if (!cause || !this.network) return;
    this.wanted = null;
    this.busy = true;
    try {
      this.values = this.pad.sample = this.read();
      const code = await this.network.run(this.values, 1);
      if (code && this.desk.tool === this) {
        this.desk.pinned = true;
        this.desk.setCode(Float32Array.from(code), cause);
      }
      if (!code) this.wanted ??= cause;
    } catch (error) {
      text(
        this.message,
        new Fault(
          `the encoder failed on this drawing (${(error as Error).message.slice(0, 120)})`,
          "a code was expected",
          "reload the page",
        ).message,
      );
    } finally {
      // One drawing per frame: what was drawn meanwhile is encoded then.
      requestAnimationFrame(() => {
        this.busy = false;
        if (this.wanted) void this.encode();
      });
    }
  }

  override decodedNow(decoded: Float32Array): void {
    if (this.values?.length === decoded.length)
      text(
        this.message,
        `Reconstruction error ${meanSquaredError(this.values, decoded).toPrecision(2)} (mean squared)`,
      );
  }

  /** The pad as the encoder sees it: H x W x C in [0, 1], each value the mean of what lies under it. */
  private read(): Float32Array {
    const [height, width, channels] = this.size;
    const context = flatContext(this.small);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.pad, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height).data;
    const out = new Float32Array(height * width * channels);
    for (let i = 0; i < height * width; i++) {
      const [r, g, b] = [pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2]];
      if (channels >= 3) out.set([r / 255, g / 255, b / 255], i * channels);
      else out[i * channels] = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
    }
    return out;
  }

  private clear(): void {
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.pad.width, this.pad.height);
    this.changed(now());
  }

  private invert(): void {
    this.context.globalCompositeOperation = "difference";
    this.context.fillStyle = "#fff";
    this.context.fillRect(0, 0, this.pad.width, this.pad.height);
    this.context.globalCompositeOperation = "source-over";
    this.changed(now());
  }

  private fromSample(): void {
    const index = this.desk.found[0]?.index;
    if (index === undefined) return;
    const values = this.desk.original(index);
    if (!values) {
      text(this.message, "The originals of this run are not on this computer.");
      return;
    }
    const [height, width] = this.size;
    const image = new ImageData(width, height);
    toPixels(values, 0, this.size, 255, image.data);
    flatContext(this.small).putImageData(image, 0, 0);
    this.show(this.small, false);
  }

  private async take(file: File | null): Promise<void> {
    if (!file) return;
    try {
      this.show(await createImageBitmap(file), true);
    } catch {
      text(
        this.message,
        new Fault(
          `“${file.name}” cannot be read as an image`,
          "a PNG, JPEG, WebP or GIF was expected",
          "convert it, or draw",
        ).message,
      );
    }
  }

  /** Fills the pad with the middle of an image, cut to the pad's proportions. */
  private show(image: CanvasImageSource & { width: number; height: number }, smooth: boolean): void {
    const { pad, context } = this;
    const k = Math.max(pad.width / image.width, pad.height / image.height);
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#000";
    context.fillRect(0, 0, pad.width, pad.height);
    context.drawImage(
      image,
      (pad.width - image.width * k) / 2,
      (pad.height - image.height * k) / 2,
      image.width * k,
      image.height * k,
    );
    this.changed(now());
  }

  /** The drawing leads; a passing pointer must not take the code away from it. */
  override get follows(): boolean {
    return false;
  }

  down(at: At, cause: Cause): void {
    this.drag(at, cause);
  }

  drag(at: At, cause: Cause): void {
    this.values = null;
    this.desk.pinned = true;
    this.follow(at, cause);
  }

  up(): void {
    this.desk.tell();
  }
}

/** Training played back: the codes of some samples after each stored epoch. */
export class Replay extends Tool {
  override readonly panel: HTMLElement;
  override readonly quiet = true;
  private readonly label = h("output", { class: "hg-number" });
  private readonly message = h("p", { class: "hg-sum", data: { testid: "replay-message" } });
  private readonly scrub: HTMLInputElement;
  private readonly playButton = h("button", {
    type: "button",
    class: "hg-icon",
    data: { testid: "replay-play" },
    on: { click: () => (this.timer ? this.pause() : this.play()) },
  });
  private codes: Float32Array | null = null;
  private index: Int32Array | null = null;
  private timer = 0;

  constructor(desk: Explorer) {
    super(desk, "replay", "Replay", "See the codes find their places during training");
    const last = Math.max(0, (desk.card.replay?.epochs.length ?? 1) - 1);
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
      h("div", { class: "hg-walk" }, this.playButton, this.scrub, this.label),
    );
    this.showButton();
  }

  override get possible(): boolean {
    return this.desk.card.replay !== null;
  }

  override open(): void {
    if (this.codes) return this.show();
    text(this.message, "Fetching the epochs …");
    void this.load().then(
      () => this.desk.tool === this && this.show(),
      (error: unknown) => text(this.message, error instanceof Error ? error.message : String(error)),
    );
  }

  private async load(): Promise<void> {
    const { folder, card } = this.desk;
    const { count, epochs } = card.replay!;
    [this.codes, this.index] = await Promise.all([
      folder.floats("replay/codes.f32", epochs.length * count * card.codes.size),
      folder.integers("replay/index.i32", count),
    ]);
    if (this.index.some((i) => i < 0 || i >= card.codes.count)) {
      this.codes = this.index = null;
      throw new Fault(
        "the file replay/index.i32 names codes that do not exist",
        `numbers below ${card.codes.count} were expected`,
        "train this run again",
      );
    }
  }

  private show(): void {
    const { desk } = this;
    const { count, epochs } = desk.card.replay!;
    const { size } = desk.card.codes;
    const at = Number(this.scrub.value);
    text(this.label, `${epochs[at]}`);
    this.scrub.setAttribute("aria-valuetext", `epoch ${epochs[at]}`);
    if (!this.codes || !this.index) return;
    const { plane } = desk;
    if (!plane.move) {
      text(this.message, "t-SNE places only the finished codes. Choose another map to replay the training.");
      return;
    }
    text(
      this.message,
      `${count.toLocaleString("en")} samples after each epoch. The picture is decoded by the finished model.`,
    );
    const block = this.codes.subarray(at * count * size, (at + 1) * count * size);
    const pca = desk.card.projections.pca;
    let xy: Float32Array;
    if (plane.key === "pca" && pca) xy = project(block, size, pca.mean, pca.components);
    else {
      xy = new Float32Array(2 * count);
      for (let r = 0; r < count; r++) xy.set(plane.place(block.subarray(r * size, (r + 1) * size))!, 2 * r);
    }
    desk.showPoints(xy, this.index, 320);
  }

  private play(): void {
    const last = Number(this.scrub.max);
    if (Number(this.scrub.value) >= last) this.scrub.value = "0";
    this.show();
    this.timer = window.setInterval(() => {
      if (Number(this.scrub.value) >= last) return this.pause();
      this.scrub.value = String(Number(this.scrub.value) + 1);
      this.show();
    }, 380);
    this.showButton();
  }

  private pause(): void {
    clearInterval(this.timer);
    this.timer = 0;
    this.showButton();
  }

  private showButton(): void {
    this.playButton.replaceChildren(icon(this.timer ? "pause" : "play"));
    this.playButton.title = this.timer ? "Pause" : "Play";
    this.playButton.setAttribute("aria-label", this.playButton.title);
  }

  override close(): void {
    this.pause();
    if (this.codes) this.desk.showPoints(this.desk.plane.xy, this.desk.plane.index);
  }

  override planeChanged(): void {
    this.show();
  }

  down(at: At, cause: Cause): void {
    this.desk.pinned = true;
    this.follow(at, cause);
  }

  drag(at: At, cause: Cause): void {
    this.follow(at, cause);
  }

  up(): void {
    this.desk.tell();
  }
}
