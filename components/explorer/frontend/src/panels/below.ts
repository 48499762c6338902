/** Says at the lower edge of a part that scrolls that there is more, and scrolls there: scroll bars are hidden by many systems. */

import { h } from "../dom";

/** Less than this below the edge, in pixels, is not worth a word. */
const LEAST = 12;

export class Below {
  readonly element: HTMLButtonElement;
  private readonly watcher = new ResizeObserver(() => this.update());

  /** `parts` are what lies in it: more lies below when one of them grows. */
  constructor(
    private readonly scrolling: HTMLElement,
    parts: readonly Element[],
  ) {
    this.element = h(
      "button",
      {
        type: "button",
        class: "hg-below",
        hidden: true,
        data: { testid: "more-below" },
        on: { click: () => scrolling.scrollBy({ top: scrolling.clientHeight * 0.7 }) },
      },
      "More below \u2193",
    );
    scrolling.addEventListener("scroll", () => this.update(), { passive: true });
    for (const one of [scrolling, ...parts]) this.watcher.observe(one);
  }

  private update(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.scrolling;
    this.element.hidden = scrollHeight - scrollTop - clientHeight < LEAST;
  }

  end(): void {
    this.watcher.disconnect();
  }
}
