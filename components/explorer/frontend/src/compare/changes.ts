/** What changed from one picture of the samples to another: an animation, neighbours kept, the samples that changed most. */

import { choice, h, setText } from "../dom";
import { messageOf } from "../fault";
import type { Shared } from "../link";
import { align, placed, sharesKept } from "../maths";
import type { Scene } from "../scene";
import { PlayButton } from "../tools/play";
import { NEIGHBOURHOOD, neighbourhoods } from "./neighbourhoods";
import { pairOf, picturesOf, type Pair, type Picture } from "./pictures";

/** The colour of points by the neighbours they kept, by its name in a state. */
export const KEPT = "kept";
/** So many samples are asked for their neighbours. */
const ASKED = 10_000;
/** So many of those that changed most are listed. */
const LISTED = 12;
/** Milliseconds from one picture to the other. */
const WAY = 2400;

export class Changes {
  readonly element: HTMLElement;
  private readonly pictures: Picture[];
  private chosen: [from: string, to: string];
  private pair: Promise<Pair> | null = null;
  /** What was counted already, by the pictures. */
  private readonly counted = new Map<string, Float32Array>();
  private asked = 0;
  private timer = 0;
  private ended = false;
  private readonly slider = h("input", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.005",
    value: "0",
    data: { testid: "between" },
    aria: { label: "From one picture to the other" },
    on: { input: () => (this.pause(), void this.show()) },
  });
  private readonly play = new PlayButton("between-play", () => (this.timer ? this.pause() : this.start()));
  private readonly fit = h("p", { data: { testid: "fit" } });
  private readonly words = h("p", { data: { testid: "kept" } });
  private readonly count = h(
    "button",
    { type: "button", data: { testid: "count-kept" }, on: { click: () => void this.countKept() } },
    "Count the neighbours kept",
  );
  private readonly list = h("div", { class: "hg-gallery", data: { testid: "changed-most" } });

  /** `coloured` is told when points can be coloured by the neighbours they kept. */
  constructor(
    private readonly scenes: readonly Scene[],
    titles: readonly string[],
    private readonly shared: Shared,
    private readonly coloured: () => void,
  ) {
    this.pictures = picturesOf(scenes, titles);
    this.chosen = [this.pictures[0].key, this.pictures[1].key];
    const options = this.pictures.map(({ key, title }) => [key, title] as const);
    const select = (which: 0 | 1, label: string, testid: string) =>
      choice(label, options, this.chosen[which], (key) => this.choose(which, key), testid);
    this.element = h(
      "section",
      { class: "hg-changes", aria: { label: "What changed" } },
      h("h3", {}, "What changed"),
      h(
        "div",
        { class: "hg-choices" },
        select(0, "From", "between-from"),
        select(1, "to", "between-to"),
        h("div", { class: "hg-walk" }, this.play.element, this.slider),
        this.count,
      ),
      this.fit,
      this.words,
      this.list,
    );
  }

  private picture(which: 0 | 1): Picture {
    return this.pictures.find(({ key }) => key === this.chosen[which]) ?? this.pictures[0];
  }

  private choose(which: 0 | 1, key: string): void {
    this.pause();
    this.leave();
    this.chosen[which] = key;
    this.forget();
  }

  /** Another picture than before is shown on a map. */
  planeChanged(): void {
    this.leave();
    this.counted.clear();
    this.forget();
  }

  private forget(): void {
    this.pair = null;
    this.asked++;
    setText(this.fit, "");
    setText(this.words, "");
    this.list.replaceChildren();
    this.count.disabled = false;
  }

  /** The map on which the samples move: that of the first picture's run. */
  private get stage(): Scene {
    return this.scenes[this.picture(0).run];
  }

  private readPair(): Promise<Pair> {
    return (this.pair ??= Promise.all([this.picture(0).read(), this.picture(1).read()]).then(([from, to]) => {
      const [a, b] = [this.picture(0).run, this.picture(1).run];
      return pairOf(from, to, (index) => (a === b ? index : this.shared.translate(a, b, index)));
    }));
  }

  /** Lays the second picture upon the first and shows both, and all that is between, on one map. */
  private async show(): Promise<void> {
    const asked = this.asked;
    let pair: Pair;
    try {
      pair = await this.readPair();
    } catch (error) {
      return setText(this.fit, messageOf(error));
    }
    if (this.ended || asked !== this.asked) return;
    const { map, colouring } = this.stage;
    if (!this.shown) {
      const found = align(pair.to, pair.from);
      const to = found ? placed(found, pair.to) : pair.to;
      const { placement } = this.stage;
      const lie = (xy: Float32Array) => (placement ? placed(placement, xy) : xy);
      colouring.showBetween(lie(pair.from), lie(to), pair.fromIndex);
      this.shown = true;
      setText(
        this.fit,
        found
          ? `${this.picture(1).title} was turned, mirrored where that helps, and scaled to lie upon ${this.picture(0).title}: ${Math.round(100 * found.residual)} % of the variance does not fit.`
          : "All samples lie in one place in one of the two: there is nothing to turn.",
      );
    }
    const share = Number(this.slider.value);
    map.share = share;
    this.slider.setAttribute("aria-valuetext", `${Math.round(100 * share)} % of the way`);
  }
  private shown = false;

  private start(): void {
    const forward = Number(this.slider.value) < 0.5;
    if (this.stage.reducedMotion) {
      this.slider.value = forward ? "1" : "0";
      return void this.show();
    }
    let last = performance.now();
    const step = (now: number) => {
      const share = Number(this.slider.value) + ((forward ? 1 : -1) * (now - last)) / WAY;
      last = now;
      this.slider.value = String(share);
      void this.show();
      this.timer = share > 0 && share < 1 ? requestAnimationFrame(step) : 0;
      this.play.show(this.timer > 0);
    };
    this.timer = requestAnimationFrame(step);
    this.play.show(true);
  }

  private pause(): void {
    cancelAnimationFrame(this.timer);
    this.timer = 0;
    this.play.show(false);
  }

  /** Puts the points back to where the map has them. */
  leave(): void {
    if (this.shown) {
      const { plane } = this.stage.places;
      this.stage.colouring.showPoints(plane.xy, plane.index);
    }
    this.shown = false;
    this.slider.value = "0";
  }

  private async countKept(): Promise<void> {
    const asked = ++this.asked;
    const isCalledOff = () => this.ended || asked !== this.asked;
    this.count.disabled = true;
    setText(this.words, "Counting …");
    try {
      const pair = await this.readPair();
      const some = every(pair.fromIndex.length, ASKED),
        key = this.chosen.join(" ");
      let kept = this.counted.get(key) ?? null;
      kept ??= await this.keptOf(pair, some, isCalledOff);
      if (!kept || isCalledOff()) return;
      this.counted.set(key, kept);
      this.tell(pair, some, kept);
    } catch (error) {
      if (!isCalledOff()) setText(this.words, messageOf(error));
    }
    if (!isCalledOff()) this.count.disabled = false;
  }

  private async keptOf(pair: Pair, some: Int32Array, isCalledOff: () => boolean): Promise<Float32Array | null> {
    const lists: Int32Array[] = [];
    for (const codes of [pair.fromCodes, pair.toCodes]) {
      const size = codes.length / Math.max(1, pair.fromIndex.length);
      const found = await neighbourhoods(taken(codes, size, some), size, NEIGHBOURHOOD, isCalledOff);
      if (!found) return null;
      lists.push(found);
    }
    return sharesKept(lists[0], lists[1], NEIGHBOURHOOD);
  }

  private tell(pair: Pair, some: Int32Array, kept: Float32Array): void {
    const run = this.picture(0).run;
    const codes = Int32Array.from(some, (p) => pair.fromIndex[p]);
    this.scenes.forEach(({ data, card }, to) => {
      const values = new Float32Array(card.codes.count).fill(NaN);
      codes.forEach((index, i) => {
        const here = to === run ? index : this.shared.translate(run, to, index);
        if (here >= 0) values[here] = kept[i];
      });
      data.computed.set(KEPT, { title: "neighbours kept", values });
    });
    const mean = kept.reduce((sum, share) => sum + (share || 0), 0) / Math.max(1, kept.length);
    const whole = some.length < pair.fromIndex.length ? `, of ${some.length.toLocaleString("en")} samples asked` : "";
    setText(
      this.words,
      `From ${this.picture(0).title} to ${this.picture(1).title} a sample keeps ${Math.round(100 * mean)} % of its ${NEIGHBOURHOOD} nearest neighbours and has new ones for the other ${Math.round(100 - 100 * mean)} %${whole}. These changed most:`,
    );
    const order = Int32Array.from(kept.keys()).sort((i, j) => kept[i] - kept[j]);
    this.fillList(Array.from(order.subarray(0, LISTED), (i) => [codes[i], kept[i]] as const));
    this.coloured();
  }

  private fillList(changed: (readonly [index: number, kept: number])[]): void {
    const scene = this.stage;
    const { painter, data } = scene;
    this.list.replaceChildren(
      ...changed.map(([index, kept]) => {
        const canvas = painter.canvas("hg-thumb");
        const original = data.original(index);
        if (original) painter.paint(canvas, original);
        else scene.decoding.paint(data.codeOf(index), canvas);
        const count = Math.round(kept * NEIGHBOURHOOD);
        return h(
          "button",
          {
            type: "button",
            title: `${data.describe("Go to this sample", index)}: ${count} of ${NEIGHBOURHOOD} neighbours kept`,
            on: { click: () => scene.goTo(index) },
          },
          canvas,
          h("span", { class: "hg-number" }, `${count} of ${NEIGHBOURHOOD}`),
        );
      }),
    );
  }

  end(): void {
    this.ended = true;
    this.pause();
  }
}

/** At most so many of the first whole numbers, evenly. */
function every(count: number, most: number): Int32Array {
  const few = Math.min(count, most);
  return Int32Array.from({ length: few }, (_, i) => Math.floor((i * count) / few));
}

function taken(codes: Float32Array, size: number, some: Int32Array): Float32Array {
  const out = new Float32Array(some.length * size);
  some.forEach((at, i) => out.set(codes.subarray(at * size, (at + 1) * size), i * size));
  return out;
}
