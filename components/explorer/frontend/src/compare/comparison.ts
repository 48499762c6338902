/**
 * Two to four runs of one dataset side by side: an explorer each, joined by the rows of the dataset (link.ts). What a hand
 * does on one map is seen on all.
 */

import type { About } from "../about";
import type { RunData } from "../data";
import { h, setText } from "../dom";
import { Explorer } from "../explorer";
import { messageOf } from "../fault";
import { Link, Shared, sideOf } from "../link";
import { align, extentOf, hiddenText, type Alignment } from "../maths";
import type { Scene } from "../scene";
import type { Source } from "../source";
import { themeOf } from "../theme";
import type { View } from "../view";
import { Bar } from "./bar";
import { Changes, KEPT } from "./changes";
import { pairOf } from "./pictures";
import { Went } from "./went";

/** Milliseconds after which what is shown has come to rest, and is reported. */
const RESTS = 400;

/** One of the runs. */
export interface Compared {
  readonly source: Source;
  readonly title: string;
  readonly about?: About;
}

/**
 * How they are shown; each part is optional. `held` is the row of the dataset that is held, or the map on which a place
 * between samples is held, counted from 1, and its code: "2:0.5,-1".
 */
export interface CompareView extends View {
  readonly aligned?: string | null;
  readonly together?: string | null;
  readonly held?: string | null;
}

/** What is reported of it, as texts: what is as it usually is, is "". */
export type CompareReport = (view: Readonly<Record<string, string>>) => void;

export class Comparison {
  readonly root = h("div", { class: "hg hg-compare", data: { testid: "comparison" } });
  private readonly explorers: Explorer[];
  private readonly fits: HTMLElement[] = [];
  private readonly note = h("p", { class: "hg-notices", hidden: true });
  private readonly original: HTMLElement;
  private readonly named = h("span", {});
  private scenes: Scene[] = [];
  /** Which row of the dataset each code of the first run is. */
  private rows: Int32Array | null = null;
  private link: Link | null = null;
  private bar: Bar | null = null;
  private changes: Changes | null = null;
  private went: Went | null = null;
  private readonly chosen: { aligned: boolean; together: boolean };
  /** The row of the dataset that the strip shows, as a position among the first run's codes. */
  private shown = -1;
  private timer = 0;
  private ended = false;

  constructor(
    host: Node,
    private readonly runs: readonly Compared[],
    private readonly view: CompareView,
    private report: CompareReport,
    startWorker: () => Worker,
  ) {
    this.chosen = { aligned: view.aligned !== "no", together: view.together !== "no" };
    this.original = h("div", { class: "hg-original", data: { testid: "compared-sample" } }, this.named);
    const cells = h("div", { class: "hg-cells", data: { count: String(runs.length) } });
    this.root.append(this.note, cells);
    host.appendChild(this.root);
    const opened = runs.map(() => deferred<Scene>());
    const borrowed = deferred<void>();
    this.explorers = runs.map(({ source, title, about }, i) => {
      const fit = h("span", { class: "hg-fit" });
      this.fits.push(fit);
      const cell = h("section", { class: "hg-cell", aria: { label: title } }, h("h3", {}, title, fit));
      cells.append(cell);
      return new Explorer(cell, {
        source,
        run: String(i),
        view,
        report: () => undefined,
        startWorker,
        ...(about ? { about } : {}),
        compact: true,
        borrow: (data) => this.lend(i, data, borrowed),
        opened: opened[i].resolve,
      });
    });
    Promise.all(opened.map(({ promise }) => promise))
      .then((scenes) => this.join(scenes))
      .catch((error: unknown) => this.fail(error));
  }

  private fail(error: unknown): void {
    if (this.ended) return;
    this.note.hidden = false;
    this.note.replaceChildren(h("p", {}, messageOf(error)));
  }

  private readonly shared = deferred<Shared>();

  /** Originals are read once, by the first run; the others show the same. */
  private async lend(which: number, data: RunData, borrowed: Deferred<void>): Promise<void> {
    if (which === 0) {
      await data.loadOriginals();
      borrowed.resolve();
      this.shown = -1;
      return this.showOriginal();
    }
    const shared = await this.shared.promise;
    await borrowed.promise;
    const positions = Int32Array.from({ length: data.card.codes.count }, (_, i) => shared.translate(which, 0, i));
    await data.borrow(this.scenes[0].data, positions);
  }

  private async join(scenes: Scene[]): Promise<void> {
    const rows = await Promise.all(scenes.map(({ data }) => data.rows()));
    if (this.ended) return;
    this.scenes = scenes;
    [this.rows] = rows;
    const titles = this.runs.map(({ title }) => title);
    const sides = scenes.map((scene, i) => sideOf(scene, rows[i], () => (this.chosen.aligned ? "aligned" : String(i))));
    const shared = new Shared(sides);
    this.shared.resolve(shared);
    if (!shared.count) return this.fail(new Error("These runs have no sample in common."));
    const link = (this.link = new Link(sides, shared));
    link.together = this.chosen.together;
    this.bar = new Bar(scenes, this.chosen, this.original, {
      align: (on) => this.align(on),
      together: (on) => {
        this.showLegend();
        if (on) link.gather();
        else link.together = false;
        this.rested();
      },
    });
    const went = (this.went = new Went(scenes, titles));
    this.changes = new Changes(scenes, titles, shared, () => {
      scenes[0].state.set("colour", KEPT);
      for (const { colouring } of scenes) colouring.recolour();
      this.bar?.draw();
    });
    this.root.prepend(this.bar.element);
    this.showLegend();
    this.root.append(went.element, this.changes.element);
    const canvas = scenes[0].painter.canvas("hg-thumb");
    canvas.classList.toggle("hg-pixels", Math.max(...scenes[0].card.dataset.shape) <= 64);
    this.original.prepend(canvas);
    let wentTimer = 0;
    for (const { state } of scenes) {
      state.subscribe(["pinned"], () => this.rested());
      state.subscribe(["colour", "layer", "points", "hidden", "tool"], () => this.rested());
      state.subscribe(["plane"], () => this.planeChanged());
    }
    scenes[0].state.subscribe(["code", "led"], () => this.showOriginal());
    scenes[0].state.subscribe(["selection", "tool"], () => {
      clearTimeout(wentTimer);
      wentTimer = window.setTimeout(() => void went.show());
    });
    this.align(this.chosen.aligned);
    this.hold(this.view.held ?? "");
    this.root.classList.toggle("hg-dark", themeOf(this.root).dark);
    this.root.dataset["ready"] = "true";
  }

  /** What is the same on all maps has one legend, above them. */
  private showLegend(): void {
    const [scene] = this.scenes;
    this.root.classList.toggle("hg-each", !this.chosen.together);
    const legends = [scene.colouring.legend, scene.background.legend];
    if (this.chosen.together) this.bar!.element.after(...legends);
    else this.root.querySelector(".hg-legends")?.replaceChildren(...legends);
  }

  /** Lays all maps upon the first, or shows each as it is. */
  private align(on: boolean): void {
    this.changes?.planeChanged();
    const [first, ...others] = this.scenes;
    first.place(null);
    const stage = { ...first.places.plane, codes: first.data.codes, size: first.card.codes.size };
    others.forEach((scene, i) => {
      scene.place(null);
      const found = on ? this.upon(stage, scene, i + 1) : null;
      scene.place(found);
      setText(
        this.fits[i + 1],
        !on ? "" : found ? `laid upon the first: ${Math.round(100 * found.residual)} % does not fit` : "as it is",
      );
    });
    if (on) this.showAllAlike();
    this.rested();
  }

  private upon(stage: Parameters<typeof pairOf>[0], scene: Scene, which: number): Alignment | null {
    const { shared } = this.link!;
    const theirs = { ...scene.places.plane, codes: scene.data.codes, size: scene.card.codes.size };
    const pair = pairOf(stage, theirs, (index) => shared.translate(0, which, index));
    return align(pair.to, pair.from);
  }

  /** Maps with the same coordinates begin with the same window onto them. */
  private showAllAlike(): void {
    const boxes = this.scenes.map(({ places }) => extentOf(places.plane.xy));
    const low = (i: number) => Math.min(...boxes.map((box) => box[i])),
      high = (i: number) => Math.max(...boxes.map((box) => box[i]));
    const corners = Float32Array.of(low(0), low(2), high(1), high(3));
    for (const { map } of this.scenes) map.setExtent(corners);
  }

  private planeChanged(): void {
    if (this.chosen.aligned) this.align(true);
    else this.changes?.planeChanged();
  }

  /** The sample that all show, or the nearest to the hand, as it really is. */
  private showOriginal(): void {
    const [scene] = this.scenes,
      canvas = this.original.querySelector("canvas");
    if (!scene || !canvas) return;
    const { picked, led } = scene.state.now;
    const index = picked ?? led?.sample ?? scene.nearest[0]?.index ?? -1;
    this.rested();
    const key = picked === null ? -2 - index : index;
    if (index < 0 || key === this.shown) return;
    this.shown = key;
    const values = scene.data.original(index);
    canvas.classList.toggle("hg-blank", !values);
    if (values) scene.painter.paint(canvas, values);
    const words = picked === null ? "Nearest real sample" : "The sample itself";
    setText(this.named, scene.data.describe(values ? words : `${words} (not at hand)`, index));
  }

  private rested(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.send(), RESTS);
  }

  private send(): void {
    const [scene] = this.scenes;
    if (this.ended || !scene) return;
    const { colour, layer, tool, hidden, points } = scene.state.now;
    this.report({
      colour: colour === KEPT ? "" : colour,
      layer: layer === "none" ? "" : layer,
      tool: tool === "explore" ? "" : tool,
      hidden: hiddenText(hidden, scene.card.dataset.classes.length),
      points: points ? "" : "no",
      aligned: this.chosen.aligned ? "" : "no",
      together: this.chosen.together ? "" : "no",
      held: this.heldText(),
    });
  }

  /** What is held, as an address has it; "" where nothing is. */
  private heldText(): string {
    const { picked, pinned } = this.scenes[0].state.now;
    if (!pinned) return "";
    if (picked !== null) return String(this.rows ? this.rows[picked] : picked);
    const leader = Math.max(
      0,
      this.scenes.findIndex(({ state }) => state.now.led === null),
    );
    const numbers = Array.from(this.scenes[leader].state.now.code, (value) => Number(value.toPrecision(5)));
    return `${leader + 1}:${numbers.join(",")}`;
  }

  /** Holds what an address says, else lets the first map lead. */
  private hold(text: string): void {
    const [, map, numbers] = /^(\d+):(.+)$/.exec(text) ?? [];
    const leader = this.scenes[Number(map) - 1] as Scene | undefined,
      code = numbers?.split(",").map(Number);
    if (leader && code?.length === leader.card.codes.size && code.every(Number.isFinite)) {
      leader.state.set("pinned", true);
      return leader.setCode(code, null);
    }
    const row = /^\d+$/.test(text) ? Number(text) : -1;
    const index = this.rows ? this.rows.indexOf(row) : row < this.scenes[0].card.codes.count ? row : -1;
    if (index >= 0) return this.scenes[0].goTo(index);
    // The first map begins on a sample, which all show then.
    const [scene] = this.scenes,
      [nearest] = scene.nearest;
    if (nearest?.distance === 0) scene.setCode(scene.data.codeOf(nearest.index), null, nearest.index);
    this.link?.lead(0);
  }

  update(view: CompareView, report: CompareReport): void {
    this.report = report;
    this.root.classList.toggle("hg-dark", themeOf(this.root).dark);
    for (const explorer of this.explorers) explorer.update(view, () => undefined);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.link?.end();
    this.bar?.end();
    this.changes?.end();
    this.went?.end();
    for (const explorer of this.explorers) explorer.end();
    this.root.remove();
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
