/** What somebody who is new can do first: one sentence, and small steps that tick themselves off. */

import type { About } from "./about";
import { h, setText } from "./dom";

/** Remembers that the steps were sent away or done. */
const KEY = "hourglass-first-steps";
/** How many of the nearest samples are of the class that is to be found. */
const ENOUGH = 3;

type Step = "move" | "hold" | "find";

export class Intro {
  readonly element = h("section", {
    class: "hg-intro",
    hidden: true,
    aria: { label: "First steps" },
    data: { testid: "first-steps" },
  });
  private readonly sentence = h("p", {});
  private readonly steps = new Map<Step, HTMLElement>();
  private readonly done = new Set<Step>();

  constructor(private readonly about: NonNullable<About["intro"]> | null) {
    if (!about || remembered()) return;
    this.element.hidden = false;
    setText(this.sentence, about.sentence);
    const words: [Step, string][] = [
      ["move", "Move"],
      ["hold", "Hold: click"],
    ];
    if (about.find) words.push(["find", about.find]);
    for (const [step, word] of words)
      this.steps.set(step, h("li", { data: { step, testid: `step-${step}` } }, h("i", {}), word));
    this.element.append(
      this.sentence,
      h("ol", {}, ...this.steps.values()),
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

  /** The code was moved by hand; `labels` are the classes of the nearest samples. */
  moved(labels: () => readonly number[]): void {
    if (this.over) return;
    this.tick("move");
    if (this.steps.has("find") && !this.done.has("find")) {
      const { label } = this.about!;
      if (labels().filter((one) => one === label).length >= ENOUGH) this.tick("find");
    }
  }

  held(): void {
    if (!this.over) this.tick("hold");
  }

  private tick(step: Step): void {
    if (this.done.has(step)) return;
    this.done.add(step);
    const item = this.steps.get(step)!;
    item.classList.add("hg-done");
    item.setAttribute("aria-label", `${item.textContent}: done`);
    if (this.done.size < this.steps.size) return;
    remember();
    setText(
      this.sentence,
      "That is a latent space. Next: drag a slider, try Draw or Replay, or train a network of your own on the page Train.",
    );
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
