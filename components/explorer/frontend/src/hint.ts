/** The line below the map that says what a hand can do on it now, and the button that lets a held place go. */

import type { Context } from "./context";
import { h, icon, setText } from "./dom";
import type { Tool } from "./tools/tool";

export class Hint {
  readonly element = h("p", { class: "hg-hint", data: { testid: "hint" } });
  /** Says that the place is held, and is the way out. */
  readonly held: HTMLButtonElement;
  /** Whether the last that touched the map was a finger: it cannot pass over the map without touching it. */
  private touched = window.matchMedia("(hover: none)").matches;

  constructor(
    private readonly context: Context,
    private readonly tool: () => Tool,
    release: () => void,
  ) {
    this.held = h(
      "button",
      {
        type: "button",
        class: "hg-held",
        hidden: true,
        title: "The picture follows the pointer again (P)",
        data: { testid: "let-go" },
        on: { click: release },
      },
      icon("pin"),
      h("span", { class: "hg-strong" }, "Held"),
      "Let go",
    );
  }

  /** True when the hand has changed from finger to pointer or back. */
  setTouched(touched: boolean): boolean {
    if (touched === this.touched) return false;
    this.touched = touched;
    this.update();
    return true;
  }

  /** Shows the button where a place is held that would follow the pointer. */
  present(): void {
    const hidden = !this.context.state.now.pinned || !this.tool().follows || this.touched;
    if (hidden === this.held.hidden) return;
    this.held.hidden = hidden;
    this.update();
  }

  update(): void {
    const words = [this.possible(), this.meaning()].filter(Boolean).join(" ");
    setText(this.element, words);
    this.element.title = words; // the line may be too short for all of it
  }

  private possible(): string {
    if (this.tool().id !== "explore") return "";
    if (this.touched)
      return "Touch the map and drag: the picture follows your finger. Two fingers move and zoom the map.";
    return this.context.state.now.pinned
      ? "Held: the picture stays. Click the marker or press P to let go; click elsewhere to hold there."
      : "Move over the map: the picture follows. Click to hold.";
  }

  /** What moving means on this plane. */
  private meaning(): string {
    const { plane } = this.context.places;
    const { card } = this.context;
    const { size } = card.codes;
    if (!plane.move)
      return "t-SNE keeps neighbours together but has no way back: pointing at a sample shows that sample's own code.";
    if (size <= 2) return "";
    if (plane.key === "pca") return "Moving changes the two main directions; all else stays as it is.";
    const others = size - (plane.axes[1] ? 2 : 1);
    const rest = others === 1 ? "number stays as it is" : "numbers stay as they are";
    return `Moving changes ${plane.axes.filter(Boolean).join(" and ")}; the other ${others} ${rest}.`;
  }
}
