/** The explorer of one run: what is shown, and what happens when a person moves. */

import { amount, classColours, luminance, parse, type Rgb } from "./colours";
import { Network, product } from "./decode";
import { Announcer, button, choice, h, icon, text } from "./dom";
import { Ground, LAYERS, type LayerName } from "./layers";
import { HIDDEN, PointMap, UNKNOWN } from "./map";
import {
  axisPlane,
  cameraOf,
  cameraText,
  countClasses,
  enlarged,
  finder,
  fromPixel,
  hiddenOf,
  hiddenText,
  linearPlane,
  meanSquaredError,
  project,
  quantiles,
  say,
  toPixel,
  type Finder,
  type Neighbour,
  type Plane,
} from "./maths";
import { Painter, type Sampled } from "./paint";
import { causeOf, NEIGHBOURS, Shown, Sliders, type Cause, type Row } from "./panels";
import { brokenCodes, Fault, RunFolder, type RunCard } from "./run";
import { Draw, Explore, Lasso, Path, Replay, type Tool } from "./tools";

/** What Python asks for at the start; each is optional. Numbers, texts and lists of them only. */
export interface View {
  readonly palette?: readonly string[];
  readonly code?: readonly number[] | null;
  readonly plane?: string | null;
  readonly colour?: string | null;
  readonly layer?: string | null;
  readonly tool?: string | null;
  readonly hidden?: string | null;
  readonly points?: string | null;
  readonly camera?: string | null;
}

export type Report = (name: "code" | "selection" | "view", value: unknown) => void;

/** Past so many measures the oldest are dropped: the browser keeps them for ever otherwise. */
const KEPT_MEASURES = 20000;
/** Milliseconds after which a camera that moved has come to rest. */
const CAMERA_RESTS = 500;
const DECODE = "explorer:decode",
  LATENCY = "explorer:latency";

export class Explorer {
  readonly root = h("div", { class: "hg", data: { testid: "latent-explorer" } });
  /** What is laid out. The root around it is the container whose width decides between wide and narrow. */
  private readonly body = h("div", { class: "hg-body" });
  readonly announcer = new Announcer();
  readonly map: PointMap;
  private readonly notices = h("div", { class: "hg-notices", role: "status", data: { testid: "explorer-notices" } });
  private readonly aborter = new AbortController();
  private readonly watcher: ResizeObserver;
  readonly folder: RunFolder;
  private ended = false;

  card!: RunCard;
  codes = new Float32Array(0);
  labels: Int32Array | null = null;
  private errors: Float32Array | null = null;
  private factors: Float32Array | null = null;
  private thumbnails: Uint8Array | null = null;
  /** The originals of signals and rows as a model sees them: of all codes, or of the first so many. */
  private samples: Float32Array | null = null;
  private thumbnailsWanted = true;
  private find: Finder | null = null;
  decoder: Network | null = null;
  private encoding: Promise<Network> | null = null;
  private weights: Promise<Uint8Array> | null = null;
  private layer: LayerName = "none";
  private built = false;
  private readonly ways = [
    h(
      "button",
      { type: "button", data: { testid: "random-sample" }, on: { click: () => this.toRandom() } },
      "A random sample",
    ),
    h(
      "button",
      {
        type: "button",
        title: "Back to the sample shown last, else to the nearest",
        data: { testid: "this-sample" },
        on: { click: () => this.toLast() },
      },
      "This sample's code",
    ),
    h(
      "button",
      { type: "button", title: "The mean of all codes", data: { testid: "reset" }, on: { click: () => this.toMean() } },
      "Reset",
    ),
  ];
  painter!: Painter;
  colours: Rgb[] = [];
  readonly hiddenClasses = new Set<number>();

  plane!: Plane;
  private planes: Plane[] = [];
  private planeFinder: Finder | null = null;
  colourBy = "class";
  private pointsShown = true;
  code = new Float32Array(0);
  /** The sample whose code is shown exactly, when it is one. */
  picked: number | null = null;
  /** The sample that was shown last: the way back to it after moving away. */
  private lastPicked: number | null = null;
  pinned = false;
  far = false;
  found: readonly Neighbour[] = [];
  decoded: Float32Array | null = null;

  private shown!: Shown;
  private sliders!: Sliders;
  ground!: Ground;
  private legend = h("div", { class: "hg-legend", data: { testid: "legend" } });
  private hint = h("p", { class: "hg-hint", data: { testid: "hint" } });
  /** Says that the place is held, and is the way out. */
  private readonly held = h(
    "button",
    {
      type: "button",
      class: "hg-held",
      hidden: true,
      title: "The picture follows the pointer again (P)",
      data: { testid: "let-go" },
      on: { click: () => this.letGo() },
    },
    icon("pin") as unknown as Node,
    h("span", { class: "hg-strong" }, "Held"),
    "Let go",
  );
  /** Whether the last that touched the map was a finger: it cannot pass over the map without touching it. */
  private touched = window.matchMedia("(hover: none)").matches;
  readonly panel = h("div", { class: "hg-panel" });
  private tools: Tool[] = [];
  tool!: Tool;

  private wish: Cause | null = null;
  private late: Cause[] = [];
  private decodedThisFrame = false;
  private frame = 0;
  private rest = 0;
  private cameraRest = 0;
  private readonly motion = window.matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    host: Element,
    readonly runUrl: string,
    private view: View,
    private report: Report,
  ) {
    this.folder = new RunFolder(new URL(runUrl.replace(/\/*$/, "/"), document.baseURI).href, this.aborter.signal);
    this.map = new PointMap(() => this.motion.matches);
    this.body.append(this.notices, h("div", { class: "hg-wait" }, "Opening the run …"));
    this.root.append(this.body);
    host.append(this.root);
    this.watcher = new ResizeObserver(() => this.layout());
    this.start().catch((error: unknown) => this.notice(error));
  }

  get still(): boolean {
    return this.motion.matches;
  }

  // ── loading ───────────────────────────────────────────────────────────────

  private async start(): Promise<void> {
    const card = (this.card = await this.folder.card());
    const { count, size } = card.codes;
    const codes = this.folder.floats("codes.f32", count * size);
    // The decoder travels at the same time as the codes; whatever fails there is told later, when it is awaited.
    this.weights = this.folder.bytes("weights.safetensors", card.files["weights.safetensors"]?.bytes);
    const decoder = Network.load(this.folder, card, "decoder", this.weights);
    const labels = this.folder.integers("labels.i32", count).catch((error: unknown) => (this.notice(error), null));
    decoder.catch(() => undefined);
    try {
      this.codes = await codes;
    } catch (error) {
      this.notice(error);
      this.codes = new Float32Array(0); // without codes the sliders still decode
    }
    this.labels = await labels;
    if (this.ended) return;
    const broken = brokenCodes(this.codes, size);
    if (broken)
      this.notice(
        new Fault(
          `${broken.toLocaleString("en")} of ${count.toLocaleString("en")} codes are not finite numbers`,
          "every code was expected to be finite",
          "the others are shown; train this run again to mend it",
        ),
      );
    await this.loadPlanes();
    if (this.ended) return;
    this.build();
    this.find = finder(this.codes, size);
    this.setCode(this.firstCode(), null);
    try {
      this.decoder = await decoder;
    } catch (error) {
      this.notice(error);
      this.root.dataset["ready"] = "false";
    }
    if (this.ended) return this.decoder?.release();
    if (this.decoder) {
      this.root.dataset["ready"] = "true";
      this.setCode(this.code, { begun: performance.now(), stamp: performance.now() });
      this.ground.refresh();
    }
    await this.loadRest();
  }

  private firstCode(): Float32Array {
    const { size, mean } = this.card.codes;
    const asked = this.view.code;
    if (asked?.length === size && asked.every(Number.isFinite)) {
      this.pinned = true;
      return Float32Array.from(asked);
    }
    const nearest = this.find?.nearest(mean, 1)[0];
    return nearest ? this.codeOf(nearest.index) : Float32Array.from(mean);
  }

  private async loadPlanes(): Promise<void> {
    const { size } = this.card.codes;
    const { pca, tsne } = this.card.projections;
    if (size > 2 && pca) {
      const share = pca.explained?.length === 2 ? pca.explained.map((v) => `${Math.round(100 * v)} %`) : ["", ""];
      this.planes.push(
        linearPlane(
          "pca",
          "Main plane (PCA)",
          [`PCA 1 ${share[0]}`.trim(), `PCA 2 ${share[1]}`.trim()],
          project(this.codes, size, pca.mean, pca.components),
          pca.mean,
          pca.components,
        ),
      );
    }
    this.planes.push(axisPlane(this.codes, size, 0, size > 1 ? 1 : 0));
    if (size > 2 && tsne) {
      try {
        const [xy, index] = await Promise.all([
          this.folder.floats("projections/tsne.f32", 2 * tsne.count),
          this.folder.integers("projections/tsne-index.i32", tsne.count),
        ]);
        if (index.some((i) => i < 0 || i >= this.card.codes.count))
          throw new Fault(
            "the file projections/tsne-index.i32 names codes that do not exist",
            `numbers below ${this.card.codes.count} were expected`,
            "train this run again",
          );
        this.planes.push({ key: "tsne", title: "t-SNE", axes: ["", ""], xy, index, place: () => null, move: null });
      } catch (error) {
        this.notice(error);
      }
    }
    this.plane = this.planes.find((p) => p.key === this.view.plane) ?? this.planes[0];
  }

  /** What only enriches the picture: it comes after the first decode, and its absence is no fault of the run. */
  private async loadRest(): Promise<void> {
    const { count } = this.card.codes;
    const factors = this.card.dataset.factors.length;
    this.errors = await this.folder.floats("errors.f32", count).catch((error: unknown) => (this.notice(error), null));
    if (factors)
      this.factors = await this.folder
        .floats("factors.f32", count * factors)
        .catch((error: unknown) => (this.notice(error), null));
    if (this.ended) return;
    if (this.amounts()) this.recolour();
    if (this.card.thumbnails && this.card.dataset.kind === "image") {
      const bytes = this.card.thumbnails.shape.reduce((a, b) => a * b, count);
      this.thumbnails = await this.folder
        .bytes("thumbnails.u8.gz", bytes, true)
        .catch((error: unknown) => (this.notice(error), null));
    }
    if (this.card.dataset.kind !== "image") await this.loadSamples();
    this.thumbnailsWanted = false;
    if (this.ended) return;
    this.shown.refill(this.paintThumbnail);
    this.tool.arrived?.();
    this.showOriginal();
    this.settle();
  }

  private async loadSamples(): Promise<void> {
    const bytes = await this.folder
      .bytes("samples.f32.gz", undefined, true)
      .catch((error: unknown) => (this.notice(error), null));
    if (this.ended || !bytes) return;
    const each = 4 * product(this.card.dataset.shape);
    if (bytes.byteLength % each || bytes.byteLength > each * this.card.codes.count)
      return this.notice(
        new Fault(
          `the file samples.f32.gz of this run has ${bytes.byteLength.toLocaleString("en")} bytes`,
          `${each.toLocaleString("en")} for each of at most ${this.card.codes.count.toLocaleString("en")} samples were expected`,
          "reload the page",
        ),
      );
    this.samples = new Float32Array(bytes.buffer);
    this.shown.scaled(this.samples);
  }

  /** The encoder is fetched by the first who draws. */
  encoder(): Promise<Network> {
    this.encoding ??= Network.load(this.folder, this.card, "encoder", this.weights!).catch((error: unknown) => {
      this.encoding = null;
      throw error;
    });
    return this.encoding;
  }

  /** One sentence about what went wrong; the rest goes on. */
  notice(error: unknown): void {
    if (this.aborter.signal.aborted) return;
    const sentence = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Fault)) console.error(error);
    this.root.querySelector(".hg-wait")?.remove();
    this.root.dataset["ready"] ??= "false";
    for (const known of this.notices.children) if (known.textContent === sentence) return;
    this.notices.append(h("p", {}, sentence));
  }

  // ── building ──────────────────────────────────────────────────────────────

  private build(): void {
    const { card, map } = this;
    this.root.querySelector(".hg-wait")?.remove();
    this.root.dataset["run"] = card.id;
    this.root.dataset["kind"] = card.dataset.kind;
    this.painter = new Painter(card.dataset);
    this.ground = new Ground(this);
    const { classes } = card.dataset;
    this.colourBy = this.view.colour ?? "class";
    for (const c of hiddenOf(this.view.hidden ?? "", classes.length)) this.hiddenClasses.add(c);
    this.pointsShown = this.view.points !== "no";
    const unpin = button(
      "Hold this place (P)",
      "pin",
      () => (this.pinned ? this.letGo() : this.setPinned(true)),
      "unpin",
    );
    this.shown = new Shown(this.painter, card, (index) => this.goTo(index), unpin);
    this.sliders = new Sliders(
      card,
      this.codes,
      (dimension, value, cause) => {
        const code = Float32Array.from(this.code);
        code[dimension] = value;
        this.pinned = true;
        this.setCode(code, cause);
      },
      () => this.tell(),
      (row) => this.strip(row),
      this.ways,
    );

    this.tools = [new Explore(this), new Lasso(this), new Path(this), new Draw(this), new Replay(this)].filter(
      (tool) => tool.possible,
    );
    const tools = h(
      "div",
      { class: "hg-tools", role: "toolbar", aria: { label: "Tools" } },
      ...this.tools.map((tool) => tool.tab),
    );
    const factors = card.dataset.factors.map((name, k) => [`factor:${k}`, name] as const);
    const plain = ["plain", "nothing"] as const,
      error = ["error", "reconstruction error"] as const;
    const colours = classes.length
      ? [["class", card.dataset.label ?? "class"] as const, error, ...factors, plain]
      : [plain, error, ...factors];
    if (!colours.some(([key]) => key === this.colourBy)) this.colourBy = colours[0][0];
    const { kind } = card.dataset;
    const layers = LAYERS.filter(
      ([key]) => (key !== "manifold" || kind !== "table") && (key !== "classes" || classes.length),
    ) // rows in small cannot be read
      .map(([key, title]) => [key, key === "manifold" ? `decoded ${kind}s` : title] as const);
    const layer = (
      this.view.layer && layers.some(([key]) => key === this.view.layer) ? this.view.layer : "none"
    ) as LayerName;
    const dots = h("input", {
      type: "checkbox",
      checked: this.pointsShown,
      data: { testid: "points" },
      on: { change: () => ((this.pointsShown = dots.checked), this.recolour(), this.tellView()) },
    });
    const choices = h(
      "div",
      { class: "hg-choices" },
      choice(
        "Colour",
        colours,
        this.colourBy,
        (value) => ((this.colourBy = value), this.recolour(), this.tellView()),
        "colour",
      ),
      choice(
        "Layer",
        layers,
        layer,
        (value) => (this.ground.set((this.layer = value as LayerName)), this.tellView()),
        "layer",
      ),
      h("label", { class: "hg-check" }, dots, "Points"),
      ...this.planeChoices(),
    );
    const view = h(
      "div",
      { class: "hg-view", role: "toolbar", aria: { label: "View" } },
      button("Zoom in (+)", "plus", () => this.zoom(1.5), "zoom-in"),
      button("Zoom out (−)", "minus", () => this.zoom(1 / 1.5), "zoom-out"),
      button("Show all points (H)", "home", () => map.goHome(), "home"),
      button("Save a picture of the map", "picture", () => this.save(), "picture"),
      button("Full screen (F)", "full", () => this.fullScreen(), "fullscreen"),
    );
    map.canvas.tabIndex = 0;
    map.canvas.setAttribute("role", "application");
    map.canvas.setAttribute(
      "aria-label",
      "Map of codes. Arrow keys move the code, with Shift faster. Enter holds it, P lets it go. Plus, minus and H zoom.",
    );
    map.element.append(view);
    if (!map.accelerated)
      this.notices.append(h("p", {}, "This browser draws without WebGL: the map works, but large ones move slowly."));
    this.body.append(
      h("header", { class: "hg-head" }, tools, choices),
      h("div", { class: "hg-stage" }, map.element, this.hint, this.legend),
      h("aside", { class: "hg-side" }, this.shown.element, this.panel, this.sliders.element),
      this.announcer.element,
    );
    this.listen();
    this.watcher.observe(map.element);
    map.onCamera = () => {
      this.ground?.moved();
      clearTimeout(this.cameraRest);
      if (this.built) this.cameraRest = window.setTimeout(() => this.tellView(), CAMERA_RESTS);
    };
    map.drawLayer = (context, camera) => this.ground.draw(context, camera);
    map.drawSheet = (context) => this.tool.draw?.(context);
    map.sheetUsed = () => this.tool.draws;
    map.placeMarks = () => this.placeMarks();
    map.drawMarks = (context) => this.drawMarks(context);
    map.element.append(...this.rings, this.marker, this.held);
    this.use(this.tools.find((tool) => tool.id === this.view.tool) ?? this.tools[0]);
    this.themed();
    this.setPlane(this.plane);
    this.ground.set((this.layer = layer));
    this.layout();
    const camera = cameraOf(this.view.camera ?? "", map.whole());
    if (camera) map.move(camera);
    this.built = true;
  }

  private planeChoices(): HTMLElement[] {
    const { size } = this.card.codes;
    if (size < 3) return [];
    const first = this.planes.find((p) => p.key.startsWith("z"))!;
    const dimensions = Array.from({ length: size }, (_, d) => [String(d), `z${d + 1}`] as const);
    let [i, j] = [0, 1];
    const asked = /^z(\d+),z(\d+)$/.exec(this.view.plane ?? "");
    const axes = h("span", { class: "hg-axes" });
    const put = () => this.setPlane(axisPlane(this.codes, size, i, j));
    if (asked) [i, j] = [Number(asked[1]) - 1, Number(asked[2]) - 1].map((d) => Math.max(0, Math.min(size - 1, d)));
    if (asked) this.plane = axisPlane(this.codes, size, i, j);
    axes.append(
      choice("across", dimensions, String(i), (value) => ((i = Number(value)), put()), "axis-x"),
      choice("up", dimensions, String(j), (value) => ((j = Number(value)), put()), "axis-y"),
    );
    axes.hidden = !this.plane.key.startsWith("z");
    const options = this.planes.map(
      (p) => [p === first ? "axes" : p.key, p === first ? "Two dimensions" : p.title] as const,
    );
    return [
      choice(
        "Map",
        options,
        this.plane.key.startsWith("z") ? "axes" : this.plane.key,
        (value) => {
          axes.hidden = value !== "axes";
          if (value === "axes") put();
          else this.setPlane(this.planes.find((p) => p.key === value)!);
        },
        "plane",
      ),
      axes,
    ];
  }

  setPlane(plane: Plane): void {
    this.plane = plane;
    this.tellView();
    this.planeFinder = plane.move ? null : finder(plane.xy, 2);
    this.map.axes = plane.axes;
    this.showPoints(plane.xy, plane.index);
    this.map.setHome(plane.xy);
    this.tool?.planeChanged?.();
    this.ground?.refresh();
    this.advise();
    this.present();
  }

  /** What a hand can do on the map now, and what moving means on this plane. */
  private advise(): void {
    const { plane } = this;
    const { size } = this.card.codes;
    const others = size - (plane.axes[1] ? 2 : 1);
    const can =
      this.tool.id !== "explore"
        ? ""
        : this.touched
          ? "Touch the map and drag: the picture follows your finger. Two fingers move and zoom the map."
          : this.pinned
            ? "This place is held: the picture stays while the pointer moves. Click the marker or press P to let go; click elsewhere to hold another place."
            : "Move over the map and the picture follows. Click to hold a place.";
    const means = !plane.move
      ? "t-SNE keeps neighbours together but has no way back: pointing at a sample shows that sample's own code."
      : size <= 2
        ? ""
        : plane.key === "pca"
          ? "Moving walks the plane of the two main directions; what lies outside it stays as it is."
          : `Moving changes ${plane.axes.filter(Boolean).join(" and ")}; the other ${others} ${others === 1 ? "number stays as it is" : "numbers stay as they are"}.`;
    text(this.hint, [can, means].filter(Boolean).join(" "));
  }

  /** Points on the map: all codes of the plane, or the tool's own (replay). */
  showPoints(xy: Float32Array, index: Int32Array | null, glide = 0): void {
    this.pointIndex = index;
    this.map.setPoints(xy, new Uint8Array(xy.length / 2).fill(UNKNOWN), glide);
    this.recolour();
  }
  pointIndex: Int32Array | null = null;

  // ── colours ───────────────────────────────────────────────────────────────

  /** Values of the chosen colour for each code; null when colour stands for a class or for nothing. */
  private amounts(): { values: (i: number) => number; low: number; high: number; title: string } | null {
    const k = /^factor:(\d+)$/.exec(this.colourBy)?.[1];
    const width = this.card.dataset.factors.length;
    const values =
      this.colourBy === "error"
        ? this.errors
        : k !== undefined && this.factors
          ? this.factors.filter((_, i) => i % width === Number(k))
          : null;
    if (!values) return null;
    // A few extreme samples would leave everything else one colour.
    const step = Math.max(1, Math.floor(values.length / 50000));
    const [low, high] = quantiles(
      values.filter((_, i) => i % step === 0),
      [0.01, 0.99],
    );
    return {
      values: (i) => values[i],
      low,
      high,
      title: this.colourBy === "error" ? "mean squared error" : this.card.dataset.factors[Number(k)],
    };
  }

  private rowsOf(index: Int32Array | null, count: number): Uint8Array {
    const rows = new Uint8Array(count).fill(UNKNOWN);
    const amounts = this.amounts();
    const classes = this.card.dataset.classes.length;
    for (let p = 0; p < count; p++) {
      const i = index ? index[p] : p;
      if (amounts) {
        const v = amounts.values(i);
        if (Number.isFinite(v))
          rows[p] = Math.round(254 * Math.max(0, Math.min(1, (v - amounts.low) / (amounts.high - amounts.low || 1))));
      } else if (this.colourBy === "class" && this.labels) {
        const label = this.labels[i];
        const known = label >= 0 && label < classes;
        if (this.hiddenClasses.size && this.hiddenClasses.has(known ? label : -1)) rows[p] = HIDDEN;
        else if (known) rows[p] = label % this.colours.length;
      }
    }
    return rows;
  }

  recolour(): void {
    if (!this.card || !this.plane) return;
    const { map } = this;
    const amounts = this.amounts();
    const table = new Uint8Array(4 * 256);
    const opacity = !this.pointsShown
      ? 0
      : Math.round(
          255 *
            Math.max(0.35, Math.min(0.9, 1.15 - 0.13 * Math.log10(Math.max(1, map.count)))) *
            (this.ground.name === "manifold" ? 0.55 : 1),
        );
    for (let row = 0; row < 256; row++) {
      const known = amounts ? row < UNKNOWN : row < this.colours.length;
      const colour = !known ? this.grey : amounts ? amount(row / 254) : this.colours[row];
      table.set([...colour, !amounts && row === HIDDEN ? 0 : opacity], 4 * row);
    }
    map.setRows(this.rowsOf(this.pointIndex, map.count));
    map.setTable(table);
    this.drawLegend(amounts);
  }
  private grey: Rgb = [128, 128, 128];

  private classCounts: Uint32Array | null = null;

  private drawLegend(amounts: { low: number; high: number; title: string } | null): void {
    this.legend.replaceChildren();
    if (amounts) {
      const stops = Array.from({ length: 10 }, (_, i) => `rgb(${amount(i / 9).join(" ")})`).join(", ");
      const bar = h("span", { class: "hg-scale" });
      bar.style.background = `linear-gradient(to right, ${stops})`;
      const number = (v: number) =>
        (Number.isInteger(v) ? String(v) : Number(v.toPrecision(3)).toString()).replace("-", "\u2212");
      this.legend.append(
        h("span", {}, amounts.title),
        h("span", { class: "hg-number" }, number(amounts.low)),
        bar,
        h("span", { class: "hg-number" }, number(amounts.high)),
      );
      return;
    }
    if (this.colourBy !== "class" || !this.labels || !this.card.dataset.classes.length) return;
    const counts = (this.classCounts ??= countClasses(
      this.labels,
      this.labels.keys(),
      this.card.dataset.classes.length,
    ));
    this.card.dataset.classes.concat("no label").forEach((name, c) => {
      if (!counts[c]) return;
      const key = c === this.card.dataset.classes.length ? -1 : c;
      const entry = h(
        "button",
        {
          type: "button",
          aria: { pressed: String(!this.hiddenClasses.has(key)) },
          title: `${counts[c].toLocaleString("en")} samples. Click to hide or show; double-click to see only these.`,
          on: {
            click: () => this.toggleClass(key),
            dblclick: () => this.onlyClass(key),
          },
        },
        name,
      );
      entry.style.setProperty("--class", `rgb(${this.colourOf(key).join(" ")})`);
      this.legend.append(entry);
    });
  }

  private toggleClass(key: number): void {
    if (!this.hiddenClasses.delete(key)) this.hiddenClasses.add(key);
    this.classesChanged();
  }

  private onlyClass(key: number): void {
    const all = [-1, ...this.card.dataset.classes.keys()];
    const alone = all.every((c) => (c === key) !== this.hiddenClasses.has(c));
    this.hiddenClasses.clear();
    if (!alone) for (const c of all) if (c !== key) this.hiddenClasses.add(c);
    this.classesChanged();
  }

  private classesChanged(): void {
    const focused = [...this.legend.children].indexOf(document.activeElement!);
    this.recolour();
    (this.legend.children[focused] as HTMLElement | undefined)?.focus();
    this.ground.refresh();
    this.present();
    this.tellView();
  }

  /** Whether any sample is hidden now. */
  private get hiding(): boolean {
    return this.hiddenClasses.size > 0 && this.colourBy === "class" && this.labels !== null;
  }

  seen = (i: number): boolean => {
    if (!this.hiding) return true;
    const label = this.labels![i];
    return !this.hiddenClasses.has(label < this.card.dataset.classes.length ? label : -1);
  };
  /** The class of a sample; "" where the dataset has none. */
  className = (i: number): string =>
    this.card.dataset.classes.length ? (this.card.dataset.classes[this.labels?.[i] ?? -1] ?? "no label") : "";
  /** Words about a sample, and its class where there are classes. */
  named = (words: string, i: number): string => [words, this.className(i)].filter(Boolean).join(", ");
  private pointer = (i: number): string => this.named("Go to this sample", i);
  /** The colour of a class; past the table's end colours start again. */
  colourOf = (label: number): Rgb => (label < 0 ? this.grey : this.colours[label % this.colours.length]) ?? this.grey;
  classColour = (i: number): string => `rgb(${this.colourOf(this.labels?.[i] ?? -1).join(" ")})`;

  private theme = "";

  /** Called at every rerun, because Streamlit's theme may have changed. */
  themed(): void {
    const style = getComputedStyle(this.root);
    const paper = parse(style.getPropertyValue("--hg-paper-now") || style.backgroundColor) ?? [255, 255, 255];
    const dark = luminance(paper) < 0.2;
    this.root.classList.toggle("hg-dark", dark);
    this.grey = dark ? [150, 155, 165] : [125, 130, 140];
    if (!this.sliders) return;
    // Every rerun of the page comes by here: a million points are not to be coloured and drawn anew for nothing.
    const theme = JSON.stringify([paper, dark, this.view.palette]);
    if (theme === this.theme) return;
    this.theme = theme;
    this.colours = classColours(Math.min(HIDDEN, this.card.dataset.classes.length), this.view.palette);
    this.map.ink = {
      text: dark ? "#b4b9c4" : "#5d6470",
      line: dark ? "rgba(255,255,255,0.06)" : "rgba(0,0,0,0.055)",
      paper: `rgb(${paper.join(" ")})`,
    };
    this.sliders.draw(dark ? "#59606e" : "#c3c9d4");
    this.painter.ink = style.color;
    const accent = style.getPropertyValue("--accent").trim() || "#2563eb";
    this.shown.inked({
      text: style.color,
      faint: this.map.ink.text,
      line: dark ? "rgba(255,255,255,0.14)" : "rgba(0,0,0,0.12)",
      accent,
      paper: this.map.ink.paper,
    });
    this.recolour();
    this.shown.forget();
    this.map.ask("ground", "points", "sheet");
    this.present();
  }

  update(view: View, report: Report): void {
    this.report = report;
    const before = JSON.stringify(this.view);
    this.view = view;
    this.themed();
    // A code that Python sends anew moves the marker; the one it echoes back does not.
    const asked = view.code;
    if (
      before !== JSON.stringify(view) &&
      asked?.length === this.code.length &&
      asked.some((v, d) => Math.abs(v - this.code[d]) > 1e-6)
    ) {
      this.pinned = true;
      this.setCode(Float32Array.from(asked), { begun: performance.now(), stamp: performance.now() });
    }
  }

  private layout(): void {
    const { clientWidth, clientHeight } = this.map.element;
    this.map.resize(clientWidth, clientHeight);
  }

  // ── the code ──────────────────────────────────────────────────────────────

  codeOf(i: number): Float32Array<ArrayBuffer> {
    const { size } = this.card.codes;
    return this.codes.slice(i * size, (i + 1) * size);
  }

  /** Show this code. `cause` is the input it comes from; null at the start, before anything was touched. */
  setCode(code: Float32Array, cause: Cause | null, picked: number | null = null): void {
    this.code = code as Float32Array<ArrayBuffer>;
    this.picked = picked;
    this.wish = cause ?? this.wish;
    this.map.ask("sheet");
    if (!this.decoder) this.present();
    else if (!this.decodedThisFrame) void this.decode();
    this.frame ||= requestAnimationFrame(() => this.nextFrame());
  }

  /** One decode per frame, always of the newest code. */
  private async decode(): Promise<void> {
    const cause = this.wish;
    if (!cause || !this.decoder || this.ended) return;
    let values: Float32Array | null;
    try {
      values = await this.decoder.run(this.code, 1);
    } catch (error) {
      this.wish = null; // asking again at every frame would fail at every frame
      return this.notice(
        new Fault(
          `the decoder failed on this code (${(error as Error).message.slice(0, 160)})`,
          "a decoded sample was expected",
          "reload the page",
        ),
      );
    }
    if (!values || this.ended) return; // busy with a layer's slice: the next frame asks again
    if (this.wish === cause) this.wish = null; // a newer wish, made meanwhile, is still to be fulfilled
    this.decodedThisFrame = true;
    this.decoded = values;
    this.shown.decoded(values);
    this.tool.decodedNow?.(values);
    measure(DECODE, cause.begun);
    this.late.push(cause);
    this.present();
  }

  private nextFrame(): void {
    this.frame = 0;
    this.decodedThisFrame = false;
    for (const cause of this.late.splice(0)) measure(LATENCY, cause.stamp);
    if (!this.wish) return;
    void this.decode();
    this.frame ||= requestAnimationFrame(() => this.nextFrame());
  }

  /** Everything beside the picture that follows the code. */
  present(): void {
    if (!this.shown || this.ended) return;
    const { code, card } = this;
    this.root.dataset["code"] = Array.from(code, (v) => String(Math.round(v * 1e5) / 1e5)).join(",");
    const { hiding } = this;
    this.found = this.find?.nearest(code, NEIGHBOURS, hiding ? this.seen : undefined) ?? [];
    // How far the data is does not depend on what is looked at.
    const nearest = hiding ? this.find?.nearest(code, 1)[0] : this.found[0];
    this.far = this.shown.distance(nearest?.distance ?? null, card.codes.nearest_p99);
    this.shown.neighbours(this.found, this.className, this.pointer, this.classColour, this.paintThumbnail);
    this.shown.place(
      code,
      card.codes.size <= 4 ? [...code.keys()] : this.sliders.rows.slice(0, 3).map((row) => row.dimension),
    );
    this.sliders.show(code);
    this.showOriginal();
    this.shown.unpin.setAttribute("aria-pressed", String(this.pinned));
    this.shown.unpin.title = this.pinned ? "Held. Let go (P)" : "Hold this place (P)";
    const hidden = !this.pinned || !this.tool.follows || this.touched;
    if (hidden !== this.held.hidden) {
      this.held.hidden = hidden;
      this.advise();
    }
    this.root.classList.toggle("hg-is-far", this.far);
    this.map.ask("sheet");
    this.announcer.say(() => this.spoken());
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => this.settle(), 140);
  }

  spoken(): string {
    const { code, found } = this;
    const shown = code.length <= 4 ? [...code] : [...code.slice(0, 3)];
    const z = `z = (${shown.map((v) => say(v)).join(", ")}${code.length > 4 ? ", …" : ""})`;
    return found[0]
      ? `${z}, nearest ${this.className(found[0].index) || "sample"} at ${say(found[0].distance)}${this.far ? ", far from the data" : ""}`
      : z;
  }

  private paintThumbnail = (index: number, canvas: Sampled): boolean => {
    canvas.of = index; // a decode of another sample, or of this one, that ends later finds out by this
    if (this.card.dataset.kind !== "image") {
      const values = this.original(index);
      delete canvas.sample; // until another one is known
      if (values) this.painter.paint(canvas, (canvas.sample = values));
      return values !== null;
    }
    if (!this.thumbnails) return false;
    if (this.reduced) this.painter.paint(canvas, this.original(index)!);
    else this.painter.paint(canvas, this.thumbnails, index * this.card.thumbnails!.shape.reduce((a, b) => a * b, 1), 1);
    return true;
  };

  /** Whether originals travel smaller than they are, because there are many of them. */
  private get reduced(): boolean {
    return this.card.thumbnails!.shape.some((n, i) => n !== this.card.dataset.shape[i]);
  }

  /** The values of an original at the size of a sample, as a model sees them; null when it is not at hand. */
  original(index: number): Float32Array | null {
    const each = product(this.card.dataset.shape);
    if (this.samples)
      return (index + 1) * each <= this.samples.length ? this.samples.subarray(index * each, (index + 1) * each) : null;
    if (!this.thumbnails) return null;
    const { shape } = this.card.thumbnails!;
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from(this.thumbnails.subarray(index * size, (index + 1) * size), (v) => v / 255);
    return this.reduced ? enlarged(values, shape, this.card.dataset.shape) : values;
  }

  /** Paints an original, or where there is none what the decoder makes of its code. */
  async paintSample(index: number, canvas: Sampled): Promise<void> {
    if (this.paintThumbnail(index, canvas)) return;
    // While it is decoded the canvas may have become another sample's, or the original may have arrived.
    const values = await this.paintDecoded(
      this.codeOf(index),
      canvas,
      () => canvas.of === index && !this.atHand(index),
    );
    if (values) canvas.sample = values;
    this.shown.list();
  }

  async paintDecoded(code: Float32Array, canvas: Sampled, wanted = () => true): Promise<Float32Array | null> {
    for (let tries = 0; tries < 50 && this.decoder && !this.ended; tries++) {
      const values = await this.decoder.run(code, 1).catch(() => null);
      if (!wanted()) return null;
      if (values) {
        this.painter.paint(canvas, values);
        return values;
      }
      await new Promise((later) => setTimeout(later, 4));
    }
    return null;
  }

  /** Whether the original of a sample is here. */
  private atHand(index: number): boolean {
    return this.card.dataset.kind === "image" ? this.thumbnails !== null : this.original(index) !== null;
  }

  private showOriginal(): void {
    const { picked } = this;
    const original = picked === null ? null : this.original(picked);
    const behind = picked ?? this.found[0]?.index ?? null,
      real = behind === null ? null : this.original(behind);
    this.shown.compare(
      behind,
      real && { values: real, offset: 0, colour: this.classColour(behind) },
      real ? this.named(picked === null ? "nearest sample" : "original", behind) : "",
    );
    if (picked === null || !original) {
      this.shown.beside(null, "");
      this.shown.describe(picked === null ? (this.far ? "decoded, far from the data" : "decoded") : "reconstruction");
      return;
    }
    const image = this.card.dataset.kind === "image";
    this.shown.beside(image ? (canvas) => this.paintThumbnail(picked, canvas) : null, this.named("original", picked));
    const whole = !(image && this.reduced) && this.decoded?.length === original.length;
    const error = whole ? meanSquaredError(original, this.decoded!) : (this.errors?.[picked] ?? null);
    this.shown.describe(error === null ? "reconstruction" : `reconstruction, error ${error.toPrecision(2)}`);
  }

  /** After the hand has come to rest: what would be too much for every move. */
  private settle(): void {
    if (this.ended || !this.shown) return;
    // Until the originals are here, or where they are not at hand, the decoder stands in; the page says so.
    const originals = this.thumbnails ?? this.samples;
    text(
      this.shown.standIn,
      originals ? "" : this.thumbnailsWanted ? "decoded, originals on their way" : "decoded, originals not at hand",
    );
    this.shown.described();
    if (!this.thumbnails) this.shown.refill((index, canvas) => (void this.paintSample(index, canvas), true));
    for (const row of this.sliders.rows) if (!row.strip.hidden) void this.fillStrip(row);
    if (this.card.codes.size > 2) this.ground.codeRested();
    this.tool?.rested?.();
  }

  private toRandom(): void {
    const { count } = this.card.codes;
    const seen = this.hiding ? Array.from({ length: count }, (_, i) => i).filter(this.seen) : null;
    if (seen && !seen.length) return;
    this.goTo(seen ? seen[Math.floor(Math.random() * seen.length)] : Math.floor(Math.random() * count));
  }

  private toMean(): void {
    this.pinned = true;
    this.setCode(Float32Array.from(this.card.codes.mean), { begun: performance.now(), stamp: performance.now() });
    this.tell();
  }

  private toLast(): void {
    const nearest = this.lastPicked ?? this.found[0]?.index;
    if (nearest !== undefined) this.goTo(nearest);
  }

  goTo(index: number): void {
    this.lastPicked = index;
    this.pinned = true;
    this.setCode(this.codeOf(index), { begun: performance.now(), stamp: performance.now() }, index);
    this.tell();
  }

  setPinned(pinned: boolean): void {
    this.pinned = pinned;
    this.present();
  }

  private letGo(): void {
    this.setPinned(false);
    this.map.canvas.focus({ preventScroll: true }); // the button that had the focus is gone
  }

  /** Python hears of it now. */
  tell(): void {
    this.report("code", { run: this.runUrl, code: Array.from(this.code, (v) => Number(v.toFixed(6))) });
  }

  /** What is chosen to be seen, so that the page can put it into its address. Silent until the page is built. */
  private tellView(): void {
    if (!this.built) return;
    const { map } = this;
    this.report("view", {
      run: this.runUrl,
      plane: this.plane.key,
      colour: this.colourBy,
      layer: this.layer,
      tool: this.tool.id,
      hidden: hiddenText(this.hiddenClasses, this.card.dataset.classes.length),
      points: this.pointsShown ? "" : "no",
      camera: cameraText(map.camera, map.whole()),
    });
  }

  tellSelection(polygon: number[] | null, count: number): void {
    const hidden = this.colourBy === "class" && this.labels ? [...this.hiddenClasses] : [];
    this.report("selection", polygon && { run: this.runUrl, plane: this.plane.key, polygon, count, hidden });
  }

  /** The code at a place of the map; on a plane without a way back, the sample nearest to the place. */
  codeAt(px: number, py: number): { code: Float32Array; picked: number | null } | null {
    const [x, y] = fromPixel(this.map.camera, px, py);
    if (this.plane.move) return { code: this.plane.move(this.code, x, y), picked: null };
    const { index: samples } = this.plane;
    const seen = this.hiding ? (p: number) => this.seen(samples ? samples[p] : p) : undefined;
    const point = this.planeFinder?.nearest([x, y], 1, seen)[0];
    if (!point) return null;
    const index = this.plane.index ? this.plane.index[point.index] : point.index;
    return { code: this.codeOf(index), picked: index };
  }

  /** Where a code, or a stored sample, is on the map in pixels. */
  pixelOf(code: ArrayLike<number>, sample: number | null = null): readonly [number, number] | null {
    const { plane, map } = this;
    const at = plane.place(code);
    if (at) return toPixel(map.camera, at[0], at[1]);
    if (sample === null) return null;
    const p = plane.index ? plane.index.indexOf(sample) : sample;
    return p < 0 ? null : toPixel(map.camera, plane.xy[2 * p], plane.xy[2 * p + 1]);
  }

  /** The marker and the rings around the nearest samples: small elements that only move, so that nothing is painted. */
  private readonly marker = h("i", { class: "hg-marker", aria: { hidden: "true" } });
  private readonly rings = Array.from({ length: NEIGHBOURS }, () =>
    h("i", { class: "hg-ring", aria: { hidden: "true" }, hidden: true }),
  );

  private marks(): { at: readonly [number, number]; index: number }[] {
    if (this.tool.quiet) return [];
    return this.found.flatMap(({ index }) => {
      const at = this.pixelOf(this.codeOf(index), index);
      return at ? [{ at, index }] : [];
    });
  }

  private placeMarks(): void {
    const marks = this.marks();
    this.rings.forEach((ring, i) => {
      ring.hidden = !marks[i];
      if (!marks[i]) return;
      ring.style.transform = `translate(${marks[i].at[0]}px, ${marks[i].at[1]}px)`;
      ring.style.borderColor = this.classColour(marks[i].index);
    });
    const at = this.pixelOf(this.code, this.picked);
    this.marker.hidden = !at;
    if (at) this.marker.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    this.marker.classList.toggle("hg-far", this.far);
    this.marker.classList.toggle("hg-pinned", this.pinned);
  }

  private drawMarks(context: CanvasRenderingContext2D): void {
    const { ink } = this.map;
    for (const { at, index } of this.marks()) {
      ring(context, at, 6, ink.paper, 3);
      ring(context, at, 6, this.classColour(index), 1.5);
    }
    const at = this.pixelOf(this.code, this.picked);
    if (!at) return;
    ring(context, at, 11, ink.paper, 5);
    ring(context, at, 11, ink.text, 2);
  }

  // ── strips ────────────────────────────────────────────────────────────────

  private strip(row: Row): void {
    row.strip.hidden = !row.strip.hidden;
    row.element.querySelector("[data-testid=traversal]")?.setAttribute("aria-expanded", String(!row.strip.hidden));
    if (!row.strip.hidden) void this.fillStrip(row);
  }

  private async fillStrip(row: Row): Promise<void> {
    const frames = 9;
    while (row.strip.children.length < frames) row.strip.append(this.painter.canvas("hg-thumb"));
    for (let k = 0; k < frames && !row.strip.hidden; k++) {
      const code = Float32Array.from(this.code);
      code[row.dimension] = row.low + ((row.high - row.low) * k) / (frames - 1);
      await this.paintDecoded(code, row.strip.children[k] as HTMLCanvasElement);
    }
  }

  // ── input ─────────────────────────────────────────────────────────────────

  use(tool: Tool): void {
    this.tool?.close?.();
    this.tool = tool;
    this.tellView();
    this.root.dataset["tool"] = tool.id;
    if (this.built) this.advise();
    this.present();
    for (const other of this.tools) other.tab.setAttribute("aria-pressed", String(other === tool));
    this.panel.replaceChildren(...(tool.panel ? [tool.panel] : []));
    tool.open?.();
    this.map.ask("sheet");
  }

  private listen(): void {
    const { canvas } = this.map;
    const pointers = new Map<number, readonly [number, number]>();
    let panning = false,
      pinch = 0,
      down: readonly [number, number] | null = null,
      moved = false;
    let held = { code: this.code, picked: this.picked, pinned: this.pinned };
    const place = (event: PointerEvent | WheelEvent): readonly [number, number] => {
      const box = canvas.getBoundingClientRect();
      // In a page scaled by transforms the box is not as wide as the canvas lies.
      return [
        ((event.clientX - box.left) * canvas.clientWidth) / (box.width || 1),
        ((event.clientY - box.top) * canvas.clientHeight) / (box.height || 1),
      ];
    };
    const touch = (event: PointerEvent) => {
      const touched = event.pointerType === "touch";
      if (touched === this.touched) return;
      this.touched = touched;
      this.advise();
      this.present();
    };
    canvas.addEventListener("pointerdown", (event) => {
      touch(event);
      const at = place(event);
      pointers.set(event.pointerId, at);
      try {
        canvas.setPointerCapture(event.pointerId);
      } catch {
        // a pointer that is gone already cannot be captured, and need not be
      }
      if (pointers.size === 2) {
        this.tool.cancel?.();
        // The first of two fingers has moved the code already, and was not meant to.
        this.pinned = held.pinned;
        this.setCode(held.code, causeOf(event), held.picked);
        pinch = spread(pointers);
        panning = true;
        return;
      }
      panning = event.button === 1 || event.button === 2 || event.shiftKey || spaceHeld;
      [down, moved] = [at, false];
      held = { code: this.code, picked: this.picked, pinned: this.pinned };
      if (!panning) this.tool.down(at, causeOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      touch(event);
      const cause = causeOf(event);
      const at = place(event);
      const before = pointers.get(event.pointerId);
      if (down && Math.hypot(at[0] - down[0], at[1] - down[1]) > 3) moved = true;
      if (before && panning) {
        pointers.set(event.pointerId, at);
        this.map.pan((at[0] - before[0]) / pointers.size, (at[1] - before[1]) / pointers.size);
        if (pointers.size === 2) {
          const now = spread(pointers);
          const all = [...pointers.values()];
          if (pinch > 0 && now > 0)
            this.map.zoom((all[0][0] + all[1][0]) / 2, (all[0][1] + all[1][1]) / 2, now / pinch);
          pinch = now;
        }
        return;
      }
      if (before) {
        pointers.set(event.pointerId, at);
        this.tool.drag(at, cause);
      } else if (event.pointerType !== "touch") this.tool.hover(at, cause);
    });
    const up = (event: PointerEvent) => {
      if (!pointers.delete(event.pointerId)) return;
      if (pointers.size) return;
      if (!panning && event.type === "pointerup") this.tool.up(place(event), moved, causeOf(event));
      else if (!panning) this.tool.cancel?.();
      panning = false;
      down = null;
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const lines = event.deltaMode === 1 ? 16 : 1;
        this.map.zoom(...place(event), Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)));
      },
      { passive: false },
    );

    let spaceHeld = false;
    canvas.addEventListener("keydown", (event) => {
      const cause = causeOf(event);
      if (event.key === " ") {
        spaceHeld = true;
        event.preventDefault();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.key(event.key, event.shiftKey, cause)) event.preventDefault();
    });
    canvas.addEventListener("keyup", (event) => {
      if (event.key === " ") spaceHeld = false;
      if (event.key.startsWith("Arrow")) this.tell();
    });
    canvas.addEventListener("blur", () => (spaceHeld = false));
  }

  private key(key: string, shift: boolean, cause: Cause): boolean {
    const { map } = this;
    const step = shift ? 40 : 8;
    const arrows: Record<string, readonly [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const arrow = arrows[key];
    if (arrow) {
      const from = this.pixelOf(this.code, this.picked) ?? [map.camera.width / 2, map.camera.height / 2];
      const target = [from[0] + arrow[0], from[1] + arrow[1]] as const;
      this.pinned = true;
      const next = this.plane.move ? this.codeAt(target[0], target[1]) : this.nextSample(from, arrow);
      if (next) this.setCode(next.code, cause, next.picked);
      // The map follows when the marker would leave it.
      const { width, height } = map.camera;
      const over = (v: number, size: number) => (v < 16 ? 16 - v : v > size - 16 ? size - 16 - v : 0);
      const dx = over(target[0], width),
        dy = over(target[1], height);
      if (dx || dy) map.pan(dx, dy);
      return true;
    }
    if (this.tool.key?.(key, cause)) return true;
    switch (key) {
      case "Enter":
        this.setPinned(true);
        this.tell();
        return true;
      case "p":
      case "P":
        if (this.pinned) this.letGo();
        else this.setPinned(true);
        return true;
      case "+":
      case "=":
        this.zoom(1.5);
        return true;
      case "-":
      case "_":
        this.zoom(1 / 1.5);
        return true;
      case "h":
      case "H":
      case "0":
      case "Home":
        map.goHome();
        return true;
      case "f":
      case "F":
        this.fullScreen();
        return true;
      default:
        return false;
    }
  }

  /** On a plane without a way back an arrow goes to the nearest sample in its direction. */
  private nextSample(
    from: readonly [number, number],
    arrow: readonly [number, number],
  ): { code: Float32Array; picked: number } | null {
    const { xy, index } = this.plane;
    const length = Math.hypot(arrow[0], arrow[1]);
    let best = -1,
      least = Infinity;
    for (let p = 0; 2 * p < xy.length; p++) {
      if (!this.seen(index ? index[p] : p)) continue;
      const [x, y] = toPixel(this.map.camera, xy[2 * p], xy[2 * p + 1]);
      const ahead = ((x - from[0]) * arrow[0] + (y - from[1]) * arrow[1]) / length;
      if (ahead < Math.max(1, length / 4)) continue;
      const aside = Math.abs((x - from[0]) * arrow[1] - (y - from[1]) * arrow[0]) / length;
      const cost = Math.abs(ahead - length) + 2 * aside;
      if (cost < least) [best, least] = [p, cost];
    }
    if (best < 0) return null;
    const picked = index ? index[best] : best;
    return { code: this.codeOf(picked), picked };
  }

  private zoom(factor: number): void {
    this.map.zoom(this.map.camera.width / 2, this.map.camera.height / 2, factor);
  }

  private fullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.root.requestFullscreen?.().catch(() => undefined);
  }

  private save(): void {
    this.map.picture().toBlob((blob) => {
      if (!blob) return;
      const link = h("a", { href: URL.createObjectURL(blob), download: `map-${this.card.id || "run"}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }

  end(): void {
    this.ended = true;
    this.aborter.abort();
    this.tool?.close?.();
    this.watcher.disconnect();
    this.announcer.end();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
    clearTimeout(this.cameraRest);
    this.ground?.end();
    this.shown?.end();
    this.map.end();
    this.decoder?.release();
    void this.encoding?.then(
      (network) => network.release(),
      () => undefined,
    );
    this.root.remove();
  }
}

function ring(
  context: CanvasRenderingContext2D,
  at: readonly [number, number],
  radius: number,
  colour: string,
  width: number,
): void {
  context.beginPath();
  context.arc(at[0], at[1], radius, 0, 7);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

const spread = (pointers: Map<number, readonly [number, number]>): number => {
  const [a, b] = [...pointers.values()];
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
};

let measured = 0;
function measure(name: string, start: number): void {
  performance.measure(name, { start, end: performance.now() });
  if (++measured < KEPT_MEASURES) return;
  measured = 0;
  performance.clearMeasures(DECODE);
  performance.clearMeasures(LATENCY);
}
