/** What somebody who is new can do first: one sentence, and small steps that tick themselves off. */

import type { About } from "./about";
import { h, setText } from "./dom";
import { term } from "./tips";

/** Remembers that the steps were sent away or done. */
const KEY = "hourglass-first-steps";
/** How many of the nearest samples are of the class that is to be found. */
const ENOUGH = 3;

const LATENT = "All codes that this network can have. With two numbers it is a plane, and the map shows it.";

type Step = "move" | "hold" | "find";

/** A step and the sentence say something else to a finger, which cannot pass over the map without touching it. */
const WORDS = {
  pointer: {
    move: "Move",
    hold: "Hold: click",
    how: "Move over the map.",
    held: "Held. To move on: press Let go below the map.",
  },
  finger: {
    move: "Drag",
    hold: "Hold: tap",
    how: "Touch the map and drag.",
    held: "Held. To move on: drag the ring, or press Let go.",
  },
} as const;

export class Intro {
  readonly element = h("section", {
    class: "hg-intro",
    hidden: true,
    aria: { label: "First steps" },
    data: { testid: "first-steps" },
  });
  /** What is said in turn lies on the same place, which is as high as the longest: the map stays where it is. */
  private readonly now = h("span", {});
  private readonly held = h("span", { class: "hg-unsaid" });
  private readonly todo = h("div", { class: "hg-todo" });
  private readonly after = h("p", { class: "hg-unsaid" });
  private readonly steps = new Map<Step, { item: HTMLElement; word: HTMLElement }>();
  private readonly done = new Set<Step>();
  private words: (typeof WORDS)["pointer" | "finger"] = WORDS.pointer;

  /** `next` is what can be done after the steps. */
  constructor(
    private readonly about: NonNullable<About["intro"]> | null,
    next: string,
  ) {
    if (!about || remembered()) return;
    this.element.hidden = false;
    const steps: Step[] = about.find ? ["move", "hold", "find"] : ["move", "hold"];
    for (const step of steps) {
      const word = h("span", {});
      this.steps.set(step, { item: h("li", { data: { step, testid: `step-${step}` } }, h("i", {}), word), word });
    }
    this.todo.append(
      h("p", { class: "hg-either" }, this.now, this.held),
      h("ol", {}, ...[...this.steps.values()].map(({ item }) => item)),
    );
    this.after.append(
      "Places on the map are codes, and close ones decode alike: that is a ",
      term("latent space", LATENT),
      `. ${next}`,
    );
    this.setTouched(window.matchMedia("(hover: none)").matches);
    this.element.append(
      h("div", { class: "hg-either" }, this.todo, this.after),
      h(
        "button",
        {
          type: "button",
          class: "hg-icon",
          title: "Hide these steps for good",
          aria: { label: "Hide these steps for good" },
          data: { testid: "first-steps-close" },
          on: { click: () => this.sendAway() },
        },
        "\u00d7",
      ),
    );
  }

  private get over(): boolean {
    return Boolean(this.element.hidden) || this.done.size === this.steps.size;
  }

  /** True for a finger. */
  setTouched(touched: boolean): void {
    if (!this.about) return;
    this.words = WORDS[touched ? "finger" : "pointer"];
    setText(this.now, `${this.about.sentence} ${this.words.how}`);
    setText(this.held, this.words.held);
    for (const [step, { word }] of this.steps) setText(word, step === "find" ? this.about.find : this.words[step]);
  }

  /** Whether the code stays where it is while the pointer moves. */
  setHeld(held: boolean): void {
    this.now.classList.toggle("hg-unsaid", held);
    this.held.classList.toggle("hg-unsaid", !held);
  }

  /** The code was moved by hand. */
  moved(): void {
    if (!this.over) this.tick("move");
  }

  /** The hand has come to rest: only passing a class is not finding it. `labels` are the classes of the nearest samples. */
  rested(labels: () => readonly number[]): void {
    if (this.over) return;
    if (this.steps.has("find") && !this.done.has("find")) {
      const { label } = this.about!;
      if (labels().filter((one) => one === label).length >= ENOUGH) this.tick("find");
    }
  }

  /** The place was held on purpose. */
  holding(): void {
    if (!this.over) this.tick("hold");
  }

  private tick(step: Step): void {
    if (this.done.has(step)) return;
    this.done.add(step);
    const { item } = this.steps.get(step)!;
    item.classList.add("hg-done");
    item.setAttribute("aria-label", `${item.textContent}: done`);
    if (this.done.size < this.steps.size) return;
    remember();
    this.todo.classList.add("hg-unsaid");
    this.after.classList.remove("hg-unsaid");
  }

  private sendAway(): void {
    remember();
    this.element.hidden = true;
  }
}

/** A browser may forbid keeping anything: the steps are then shown again. */
function remembered(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

function remember(): void {
  try {
    localStorage.setItem(KEY, "done");
  } catch {
    // shown again next time
  }
}
