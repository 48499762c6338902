/** Rate things and watch yourself move: a map of people and things, and suggestions that change with every star. */

import type { Json } from "../card";
import { classColours, cssColour } from "../colours";
import { h, setText } from "../dom";
import { addStyles } from "../styles";
import { Showing, type LabContext, type LabOf, type LabView } from "./lab";
import { keysOf, press } from "./parts";
import { RatingList } from "./recommend-list";
import { TasteMap } from "./recommend-map";
import { readStars, Taste, written, type Foretold, type Place, type Reason } from "./recommend-taste";
import css from "./recommend.css?inline";

const SUGGESTED = 7;
const MATTERS = 0.05; // stars: what moves a guess by less is no reason

export const recommend: LabOf = (host, data, view, context) => new Recommend(host, data, view, context);

class Recommend extends Showing<Taste> {
  private taste!: Taste;
  private stars = new Map<number, number>();
  private pin: Place | null = null;
  private before: readonly number[] = [];

  private readonly map = new TasteMap((place, stays) => this.look(place, stays));
  private readonly list = new RatingList(
    (thing, stars) => this.rate(thing, stars),
    () => this.clear(),
  );
  private readonly legend = h("div", { class: "hg-lab-legend" });
  private readonly heading = h("b", {});
  private readonly back = press("Back to you", "lab-back", () => {
    this.look(null, true);
    this.map.element.focus(); // the button is gone
  });
  private readonly suggestions = h("ol", { class: "hg-lab-suggestions", data: { testid: "lab-suggestions" } });

  constructor(host: HTMLElement, data: Json, view: LabView, context: LabContext) {
    super(host, context);
    addStyles(host, css, "hourglass-recommend-style");
    const side = h(
      "section",
      { class: "hg-lab-suggested" },
      h("div", { class: "hg-lab-top" }, this.heading, this.back),
      this.suggestions,
    );
    const figure = h("figure", { class: "hg-lab-where" }, this.map.element, this.legend);
    host.append(this.verdict, h("div", { class: "hg-lab-three" }, this.list.element, figure, side));
    this.update(data, view);
  }

  protected read(data: Json): Taste {
    return new Taste(data);
  }

  protected open(taste: Taste, view: LabView): void {
    this.taste = taste;
    this.stars = readStars(view["rated"] ?? "", taste.things.length);
    const [x, y] = (view["at"] ?? "").split(",").map(Number);
    this.pin = view["at"] && Number.isFinite(x) && Number.isFinite(y) ? [x, y] : null;
    this.before = [];
    this.map.open(taste);
    this.list.open(taste, this.stars);
    const colours = classColours(Math.max(1, taste.classes.length)).map(cssColour);
    this.legend.replaceChildren(...keysOf(taste.classes.map((title, i) => ({ title, colour: colours[i] }))));
    this.draw(true);
    this.ready();
  }

  protected override inked(): void {
    this.map.draw();
  }

  private rate(thing: number, stars: number): void {
    const begun = performance.now();
    if (stars) this.stars.set(thing, stars);
    else this.stars.delete(thing);
    this.pin = null;
    this.map.look(null, []);
    this.draw(false);
    performance.measure("lab:draw", { start: begun, end: performance.now() });
    this.rest();
  }

  private clear(): void {
    this.stars.clear();
    this.pin = null;
    this.before = [];
    this.map.look(null, []);
    this.draw(true);
    this.rest();
  }

  /** Somebody else's place on the map is looked at, or one's own again. */
  private look(place: Place | null, stays: boolean): void {
    const begun = performance.now();
    if (stays) this.pin = place;
    if (stays) this.map.look(place, []);
    if (place) this.elsewhere(place);
    else this.draw(false, true);
    performance.measure("lab:draw", { start: begun, end: performance.now() });
    if (stays) this.rest();
  }

  /** Everything that depends on the stars. only: nothing but what was looked at has changed. */
  private draw(at_once: boolean, only = false): void {
    const { taste, stars } = this;
    const place = taste.place(stars);
    const best = taste.best(taste.foretell(stars), stars, SUGGESTED);
    const things = best.map(({ thing }) => thing);
    if (only) this.map.suggest(things);
    else {
      this.list.show(stars);
      this.map.stand(place, things, at_once);
    }
    setText(this.verdict, this.words(place, best));
    if (this.pin) {
      this.map.look(this.pin, []);
      this.elsewhere(this.pin);
      return;
    }
    setText(this.heading, stars.size ? "You may like" : "What most people like");
    this.back.hidden = true;
    this.write(best, stars.size ? taste.why(stars, things) : null);
    if (!only) this.before = things;
  }

  private elsewhere(place: Place): void {
    const best = this.taste.best(this.taste.at(place), new Map(), SUGGESTED);
    this.map.suggest(best.map(({ thing }) => thing));
    setText(this.heading, "Somebody who stands there would like");
    this.back.hidden = this.pin === null;
    this.write(best, null);
  }

  private words(place: Place, [first]: readonly Foretold[]): string {
    const { taste, stars } = this;
    if (!stars.size)
      return "Nothing is known of you yet, so you stand in the middle. Give a thing stars and watch yourself move.";
    const among = taste.among(place);
    const company = among
      ? `Of the ${among.of} people nearest to you ${among.share} like ${among.label} things best. `
      : "";
    const next = first
      ? `First suggestion: ${taste.things[first.thing].name}, ${first.stars.toFixed(1)} stars of 5.`
      : "You have rated everything.";
    return company + next;
  }

  private write(best: readonly Foretold[], why: Map<number, Reason[]> | null): void {
    this.suggestions.replaceChildren(
      ...best.map(({ thing, stars }, i) => {
        const { name, line } = this.taste.things[thing];
        const was = this.before.indexOf(thing);
        const climbed = why && this.before.length && (was < 0 || was > i);
        const share = h("span", { class: "hg-lab-share" }, stars.toFixed(1));
        share.style.setProperty("--share", `${(100 * (stars - 1)) / 4}%`);
        return h(
          "li",
          { data: { thing: String(thing) } },
          h(
            "div",
            {},
            h(
              "b",
              { title: line ?? "" },
              name,
              climbed ? h("em", { title: "It has moved up since your last star" }, " ▲") : null,
            ),
            share,
          ),
          h("small", {}, why ? this.because(why.get(thing) ?? []) : (line ?? "")),
        );
      }),
    );
  }

  private because(reasons: readonly Reason[]): string {
    const some = reasons.filter(({ by }) => by >= MATTERS).slice(0, 2);
    if (!some.length) return "none of your stars speaks for it: most people like it";
    const told = some.map(({ thing, by }) => {
      const given = this.stars.get(thing) ?? 0;
      return `${this.taste.things[thing].name} (${"★".repeat(given)}, +${by.toFixed(1)})`;
    });
    return `because of ${told.join(" and ")}`;
  }

  protected view(): LabView {
    return { rated: written(this.stars), at: this.pin ? this.pin.map((value) => value.toFixed(2)).join(",") : "" };
  }

  override end(): void {
    super.end();
    this.map.end();
  }
}
