/** Words that explain themselves: one sentence, by pointer, touch and keyboard. */

import { h } from "./dom";

/** A word with its explanation. */
export function term(word: string, explanation: string): HTMLElement {
  return h(
    "span",
    {
      class: "hg-term",
      tabIndex: 0,
      role: "button",
      data: { tip: explanation },
      aria: { label: `${word}: ${explanation}` },
    },
    word,
  );
}

/** Shows the explanation of whichever word inside `root` is pointed at, touched or has the focus. */
export class Tips {
  private readonly bubble = h("div", { class: "hg-tip", role: "tooltip", hidden: true, data: { testid: "tip" } });
  private readonly aborter = new AbortController();

  constructor(private readonly root: HTMLElement) {
    root.append(this.bubble);
    const { signal } = this.aborter;
    const wordOf = (event: Event) =>
      event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tip]") : null;
    for (const name of ["pointerover", "focusin", "click"])
      root.addEventListener(name, (event) => this.show(wordOf(event)), { signal });
    for (const name of ["pointerleave", "focusout"]) root.addEventListener(name, () => this.show(null), { signal });
    root.addEventListener("scroll", () => this.show(null), { signal, capture: true });
  }

  private show(word: HTMLElement | null): void {
    this.bubble.hidden = !word;
    if (!word) return;
    this.bubble.textContent = word.dataset["tip"] ?? "";
    const [at, all] = [word.getBoundingClientRect(), this.root.getBoundingClientRect()];
    const width = Math.min(300, all.width);
    this.bubble.style.width = `${width}px`;
    this.bubble.style.left = `${Math.max(0, Math.min(all.width - width, at.left - all.left))}px`;
    // Above the word where there is space, so that a finger does not cover it.
    const above = at.top - all.top - this.bubble.offsetHeight - 6;
    this.bubble.style.top = `${above > 0 ? above : at.bottom - all.top + 6}px`;
  }

  end(): void {
    this.aborter.abort();
  }
}
