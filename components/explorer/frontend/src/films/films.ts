/** The button for films and their panel. What films take is fetched by the first who opens it. */

import type { Context } from "../context";
import { button, h } from "../dom";
import { messageOf } from "../fault";
import { addStyles } from "../styles";

export class Films {
  readonly button = button("Save a moving picture", "film", () => this.toggle(), "film-open");
  readonly element = h("section", {
    class: "hg-film",
    hidden: true,
    aria: { label: "Moving picture" },
    data: { testid: "film" },
    on: {
      keydown: (event) => {
        if ((event as KeyboardEvent).key !== "Escape") return;
        event.stopPropagation();
        this.toggle();
      },
    },
  });
  private leave: (() => void) | null = null;
  private ended = false;

  constructor(private readonly context: Context) {
    this.button.setAttribute("aria-expanded", "false");
    // Frames are decoded here: a decoder elsewhere is not asked for hundreds of them.
    this.button.hidden = context.decoding.asked !== null && !context.card.replay;
  }

  private toggle(): void {
    const opens = this.element.hidden;
    this.element.hidden = !opens;
    this.button.setAttribute("aria-expanded", String(opens));
    if (opens) return void this.open();
    this.close();
    this.button.focus({ preventScroll: true });
  }

  private async open(): Promise<void> {
    const { element } = this;
    try {
      const { css, fill } = await import("./panel");
      if (element.hidden || this.ended) return;
      addStyles(element, css, "hourglass-film-style");
      this.leave = fill(element, this.context, () => this.toggle());
    } catch (error) {
      element.replaceChildren(h("p", { class: "hg-sum" }, messageOf(error)));
    }
  }

  private close(): void {
    this.leave?.();
    this.leave = null;
    this.element.replaceChildren();
  }

  end(): void {
    this.ended = true;
    this.close();
  }
}
