/** Things to rate, a row of stars each: with a pointer, with the keys 1 to 5 and the arrows, and found by a word. */

import { h, setText } from "../dom";
import { press } from "./parts";
import { MOST, type Stars, type Taste } from "./recommend-taste";

const SHOWN = 40; // rows at most

export class RatingList {
  readonly element: HTMLElement;
  private readonly rows = h("div", { class: "hg-lab-rows", data: { testid: "lab-things" } });
  private readonly search = h("input", {
    type: "search",
    placeholder: "Find one",
    aria: { label: "Find a thing to rate" },
    data: { testid: "lab-find" },
    on: { input: () => this.draw() },
  });
  private readonly title = h("b", {});
  private taste: Taste | null = null;
  private stars: Stars = new Map();

  /** `rated` is told how many stars a thing is given, 0 for none. */
  constructor(
    private readonly rated: (thing: number, stars: number) => void,
    cleared: () => void,
  ) {
    const top = h("div", { class: "hg-lab-top" }, this.title, press("Start again", "lab-clear", cleared));
    this.element = h("section", { class: "hg-lab-rate" }, top, this.search, this.rows);
  }

  open(taste: Taste, stars: Stars): void {
    this.taste = taste;
    this.stars = stars;
    this.search.value = "";
    this.search.hidden = taste.things.length <= 12;
    this.draw();
  }

  /** Other stars. The rows stay where they are: what a hand is about to touch does not move. */
  show(stars: Stars): void {
    this.stars = stars;
    const count = stars.size;
    setText(this.title, count ? `${count} ${count === 1 ? "thing" : "things"} rated` : "Rate ten things");
    for (const row of this.rows.querySelectorAll<HTMLElement>("[role=slider]")) this.fill(row);
  }

  private draw(): void {
    const { taste } = this;
    if (!taste) return;
    const word = this.search.value.trim().toLowerCase();
    const every = taste.things.map((_, i) => i).sort((a, b) => taste.counts[b] - taste.counts[a]);
    const order = [...new Set([...this.stars.keys(), ...taste.first, ...every])];
    const found = order.filter((i) => {
      const { name, group, line } = taste.things[i];
      return !word || [name, group, line].some((text) => text?.toLowerCase().includes(word));
    });
    this.rows.replaceChildren(
      ...found.slice(0, SHOWN).map((i) => this.row(i)),
      ...(found.length ? [] : [h("p", {}, "Nothing has this name.")]),
      ...(found.length > SHOWN ? [h("p", {}, `${found.length - SHOWN} more: find them by name.`)] : []),
    );
    this.show(this.stars);
  }

  private row(thing: number): HTMLElement {
    const { name, line } = this.taste!.things[thing];
    const slider = h("span", {
      class: "hg-lab-stars",
      role: "slider",
      tabIndex: 0,
      aria: { label: `Stars for ${name}`, valuemin: "0", valuemax: String(MOST) },
      data: { thing: String(thing), testid: `lab-stars-${thing}` },
    });
    for (let star = 1; star <= MOST; star++)
      slider.append(h("i", { title: words(star), on: { click: () => this.give(thing, star, true) } }, "★"));
    slider.addEventListener("keydown", (event) => this.key(event, thing));
    return h("div", { class: "hg-lab-row" }, h("span", { title: line ?? "" }, h("b", {}, name), line ?? ""), slider);
  }

  private fill(slider: HTMLElement): void {
    const given = this.stars.get(Number(slider.dataset["thing"])) ?? 0;
    slider.setAttribute("aria-valuenow", String(given));
    slider.setAttribute("aria-valuetext", given ? words(given) : "not rated");
    [...slider.children].forEach((star, i) => star.classList.toggle("hg-lab-on", i < given));
  }

  /** again: the same stars once more take them away. */
  private give(thing: number, stars: number, again = false): void {
    const now = this.stars.get(thing) ?? 0;
    this.rated(thing, again && stars === now ? 0 : stars);
  }

  private key(event: KeyboardEvent, thing: number): void {
    const now = this.stars.get(thing) ?? 0;
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (step !== undefined) this.give(thing, Math.min(MOST, Math.max(0, now + step)));
    else if (/^[0-5]$/.test(event.key)) this.give(thing, Number(event.key));
    else if (event.key === "Delete" || event.key === "Backspace" || event.key === "Home") this.give(thing, 0);
    else if (event.key === "End") this.give(thing, MOST);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const words = (stars: number): string => `${stars} ${stars === 1 ? "star" : "stars"}`;
