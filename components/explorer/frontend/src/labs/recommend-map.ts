/** The map of the lab Recommend: people as dots, things by their names, and whoever rates as a ring that moves. */

import { cpuContext } from "../canvas";
import { classColours, cssColour } from "../colours";
import { h } from "../dom";
import { themeOf } from "../theme";
import type { Place, Taste } from "./recommend-taste";

const FONT = "12px system-ui, sans-serif";
const REACH = 0.99; // of the people are within the map
const GLIDE = 450; // ms in which a new place is reached
const FEW = 60; // things
const BESIDE = 4; // places for a name right beside its mark
const STEP = 0.06; // of the map's width that a key moves

export class TasteMap {
  readonly element = h("canvas", { class: "hg-lab-tastes", tabIndex: 0, data: { testid: "lab-map" } });
  private taste: Taste | null = null;
  /** What is drawn once: dots and names. */
  private readonly still = document.createElement("canvas");
  private stillOf = "";
  /** The names there, by their things. */
  private readonly named = new Map<number, Box>();
  private low: Place = [-3, -3];
  private high: Place = [3, 3];
  private you: Place = [0, 0];
  private drawnAt: Place = [0, 0];
  private trail: Place[] = [];
  private pin: Place | null = null;
  private hover: Place | null = null;
  private best: readonly number[] = [];
  private frame = 0;
  private readonly watcher = new ResizeObserver(() => this.draw());

  /** `looked` is told the place that is looked at, null for one's own, and whether it stays. */
  constructor(private readonly looked: (place: Place | null, stays: boolean) => void) {
    const { element } = this;
    element.setAttribute("role", "application");
    element.setAttribute("aria-label", "Map of people and things. Arrow keys look around, Home goes back to you.");
    element.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" || event.buttons) this.over(this.under(event), false);
    });
    element.addEventListener("pointerleave", () => this.over(null, false));
    element.addEventListener("click", (event) => this.over(this.under(event), true));
    element.addEventListener("keydown", (event) => this.key(event));
    this.watcher.observe(element);
  }

  /** Another dataset. */
  open(taste: Taste): void {
    this.taste = taste;
    this.stillOf = "";
    this.trail = [];
    this.pin = this.hover = null;
    const ends = [0, 1].map((axis) => {
      const sorted = [...taste.people, ...taste.places].map((place) => place[axis]).sort((a, b) => a - b);
      const cut = Math.floor(((1 - REACH) / 2) * sorted.length);
      const [low, high] = [sorted[cut], sorted[sorted.length - 1 - cut]];
      return [low - 0.06 * (high - low), high + 0.06 * (high - low)] as const;
    });
    this.low = [ends[0][0], ends[1][0]];
    this.high = [ends[0][1], ends[1][1]];
  }

  /** Where you stand now, and what is suggested there; at once, or in a glide from where you stood. */
  stand(place: Place, best: readonly number[], at_once: boolean): void {
    const moved = place[0] !== this.you[0] || place[1] !== this.you[1];
    if (moved && !at_once) this.trail = [...this.trail.slice(-29), this.you];
    if (at_once) this.trail = [];
    const from = this.drawnAt;
    this.you = place;
    this.best = best;
    cancelAnimationFrame(this.frame);
    const still = at_once || !moved || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) {
      this.drawnAt = place;
      this.draw();
      return;
    }
    const begun = performance.now();
    const glide = (now: number): void => {
      const share = Math.min(1, (now - begun) / GLIDE);
      const eased = 1 - (1 - share) ** 3;
      this.drawnAt = [from[0] + (place[0] - from[0]) * eased, from[1] + (place[1] - from[1]) * eased];
      this.draw();
      if (share < 1) this.frame = requestAnimationFrame(glide);
    };
    this.frame = requestAnimationFrame(glide);
  }

  /** What stays looked at, as a link has it. */
  look(place: Place | null, best: readonly number[]): void {
    this.pin = place;
    this.best = best;
    this.draw();
  }

  /** What is suggested where one looks. */
  suggest(best: readonly number[]): void {
    this.best = best;
    this.draw();
  }

  end(): void {
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
  }

  private under({ clientX, clientY }: MouseEvent): Place {
    const box = this.element.getBoundingClientRect();
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    return [this.low[0] + x * (this.high[0] - this.low[0]), this.high[1] - y * (this.high[1] - this.low[1])];
  }

  private over(place: Place | null, stays: boolean): void {
    if (stays) this.pin = place;
    this.hover = stays ? null : place;
    this.looked(this.hover ?? this.pin, stays);
  }

  private key(event: KeyboardEvent): void {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Home") this.over(null, true);
    else if (move) {
      const from = this.pin ?? this.you;
      const next = [0, 1].map((axis) => {
        const wide = this.high[axis] - this.low[axis];
        return Math.min(this.high[axis], Math.max(this.low[axis], from[axis] + move[axis] * STEP * wide));
      });
      this.over([next[0], next[1]], true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  draw(): void {
    const { element, taste } = this;
    const wide = element.clientWidth,
      high = element.clientHeight;
    if (!taste || !wide || !high) return;
    const fine = window.devicePixelRatio || 1;
    const { ink, dark } = themeOf(element.closest(".hg") ?? element);
    const of = [wide, high, fine, dark, ink.paper].join(" ");
    if (this.stillOf !== of) {
      this.stillOf = of;
      for (const canvas of [element, this.still]) {
        canvas.width = Math.round(wide * fine);
        canvas.height = Math.round(high * fine);
      }
      this.drawStill(taste, wide, high, fine);
    }
    const context = cpuContext(element);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, element.width, element.height);
    context.drawImage(this.still, 0, 0);
    context.setTransform(fine, 0, 0, fine, 0, 0);
    const px = ([x, y]: Place): Place => [
      ((x - this.low[0]) / (this.high[0] - this.low[0])) * wide,
      ((this.high[1] - y) / (this.high[1] - this.low[1])) * high,
    ];
    const ring = ([x, y]: Place, radius: number, fill: string, stroke: string) => {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = fill;
      context.fill();
      context.lineWidth = 2.5;
      context.strokeStyle = stroke;
      context.stroke();
    };
    for (const thing of this.best) ring(px(taste.places[thing]), 5, "transparent", ink.accent);
    // What is suggested has its name: where there is room, else on paper of its own.
    const taken = [...this.named.values()];
    for (const thing of this.best) {
      if (this.named.has(thing)) continue;
      const name = shorter(taste.things[thing].name);
      const boxes = boxesAround(context, name, px(taste.places[thing]), wide, high);
      const free = boxes.find((box) => !taken.some((one) => meet(box, one)));
      const box = free ?? boxes[0];
      if (!free) {
        context.fillStyle = ink.paper;
        context.fillRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
      }
      taken.push(box);
      label(context, name, (box[0] + box[2]) / 2, box[3] - 4, ink.text, ink.paper);
    }
    if (this.trail.length) {
      context.beginPath();
      context.lineWidth = 2;
      context.strokeStyle = ink.accent;
      context.globalAlpha = 0.55;
      [...this.trail, this.drawnAt].map(px).forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.stroke();
      context.globalAlpha = 1;
      for (const place of this.trail) ring(px(place), 2, ink.accent, ink.accent);
    }
    const [x, y] = px(within(this.drawnAt, this.low, this.high));
    ring([x, y], 9, ink.accent, ink.paper);
    label(context, "you", x, y - 15, ink.text, ink.paper, true);
    const looks = this.hover ?? this.pin;
    if (looks) {
      const [lx, ly] = px(looks);
      context.lineWidth = 1.5;
      context.strokeStyle = ink.text;
      context.beginPath();
      context.arc(lx, ly, 9, 0, 2 * Math.PI);
      context.moveTo(lx - 14, ly);
      context.lineTo(lx + 14, ly);
      context.moveTo(lx, ly - 14);
      context.lineTo(lx, ly + 14);
      context.stroke();
    }
    element.dataset["you"] = this.you.map((value) => value.toFixed(3)).join(",");
  }

  private drawStill(taste: Taste, wide: number, high: number, fine: number): void {
    const context = cpuContext(this.still);
    const { ink, dark } = themeOf(this.element.closest(".hg") ?? this.element);
    context.setTransform(fine, 0, 0, fine, 0, 0);
    const colours = classColours(Math.max(1, taste.classes.length)).map(cssColour);
    const px = ([x, y]: Place): Place => [
      ((x - this.low[0]) / (this.high[0] - this.low[0])) * wide,
      ((this.high[1] - y) / (this.high[1] - this.low[1])) * high,
    ];
    context.globalAlpha = dark ? 0.45 : 0.35;
    taste.people.forEach((place, i) => {
      const [x, y] = px(place);
      context.fillStyle = taste.labels[i] >= 0 ? colours[taste.labels[i]] : ink.faint;
      context.fillRect(x - 1.5, y - 1.5, 3, 3);
    });
    context.globalAlpha = 1;
    this.named.clear();
    const taken: Box[] = [];
    const order = taste.places.map((_, i) => i).sort((a, b) => taste.counts[b] - taste.counts[a]);
    for (const thing of order) {
      const [x, y] = px(taste.places[thing]);
      context.fillStyle = ink.text;
      context.beginPath();
      context.moveTo(x, y - 4);
      context.lineTo(x + 4, y);
      context.lineTo(x, y + 4);
      context.lineTo(x - 4, y);
      context.fill();
    }
    // Of few things no name lies on another's mark.
    if (order.length <= FEW)
      for (const thing of order) {
        const [x, y] = px(taste.places[thing]);
        taken.push([x - 4, y - 4, x + 4, y + 4]);
      }
    for (const thing of order) {
      const name = shorter(taste.things[thing].name);
      const boxes = boxesAround(context, name, px(taste.places[thing]), wide, high).slice(0, BESIDE);
      const box = boxes.find((one) => !taken.some((other) => meet(one, other)));
      if (!box) continue;
      taken.push(box);
      this.named.set(thing, box);
      label(context, name, (box[0] + box[2]) / 2, box[3] - 4, ink.text, ink.paper);
    }
  }
}

const shorter = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** Left, top, right and bottom of a name. */
type Box = readonly [number, number, number, number];

const meet = (a: Box, b: Box): boolean => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

/** Where a name could stand, best first, within the map: below its mark, above, beside it, and a line further away. */
function boxesAround(context: CanvasRenderingContext2D, name: string, at: Place, wide: number, high: number): Box[] {
  context.font = FONT;
  const half = context.measureText(name).width / 2 + 3;
  const places = [
    [0, 16],
    [0, -10],
    [half + 6, 4],
    [-half - 6, 4],
    [0, 31],
    [0, -25],
    [0, 46],
    [0, -40],
  ];
  return places.flatMap(([right, down]): Box[] => {
    const [x, y] = [Math.min(wide - half, Math.max(half, at[0] + right)), at[1] + down];
    if (y - 11 < 0 || y + 4 > high || (right && Math.abs(x - at[0]) < half)) return [];
    return [[x - half, y - 11, x + half, y + 4]];
  });
}

/** A name with a rim of paper, so that it is read on dots. */
function label(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  ink: string,
  paper: string,
  bold = false,
): void {
  context.font = bold ? FONT.replace("12px", "700 13px") : FONT;
  context.textAlign = "center";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = paper;
  context.strokeText(text, x, y);
  context.fillStyle = ink;
  context.fillText(text, x, y);
}

const within = ([x, y]: Place, low: Place, high: Place): Place => [
  Math.min(high[0], Math.max(low[0], x)),
  Math.min(high[1], Math.max(low[1], y)),
];
