/** The line below the map that says what a hand can do on it now, and the button that lets a held place go. */

import type { Context } from "./context";
import { h, icon, setText } from "./dom";
import { term } from "./tips";
import type { Tool } from "./tools/tool";

/** What follows the pointer, for each kind of sample. */
const SHOWN: Readonly<Record<string, string>> = { signal: "the decoded signal", table: "the decoded row" };

const latentSpace = (size: number): string =>
  `All codes that this network can have: ${size === 1 ? "one number each, a line" : `${size} numbers each`}. ` +
  `${size > 2 ? "The map shows it from one side" : "The map shows it"}; each point is the code of a real sample.`;

/** How often a note at the marker says that it is held, and for how many milliseconds. */
const NOTES = 2,
  NOTE_MS = 6000;

export class Hint {
  readonly element = h("p", { class: "hg-hint", data: { testid: "hint" } });
  /** Says that the place is held, and is the way out. */
  readonly held: HTMLButtonElement;
  /** The same at the marker, as soon as a pointer moves in vain: so that the map does not seem dead. */
  readonly note = h(
    "div",
    { class: "hg-note", hidden: true, data: { testid: "held-note" } },
    "This place is held. Click the marker to let go.",
  );
  private notes = 0;
  private noteTimer = 0;
  /** Whether the last that touched the map was a finger: it cannot pass over the map without touching it. */
  private touched = window.matchMedia("(hover: none)").matches;
  private readonly words = h("span", {});

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
        title: "The map leads again (P)",
        data: { testid: "let-go" },
        on: { click: release },
      },
      icon("pin"),
      h("span", { class: "hg-strong" }, "Held"),
      "Let go",
    );
    this.element.append(term("Latent space", latentSpace(context.card.codes.size)), ". ", this.words);
  }

  /** True when the hand has changed from finger to pointer or back. */
  setTouched(touched: boolean): boolean {
    if (touched === this.touched) return false;
    this.touched = touched;
    this.update();
    return true;
  }

  /** Whether a place is held that would follow the pointer. */
  get holds(): boolean {
    const tool = this.tool();
    return this.context.state.now.pinned && tool.follows && (!this.touched || tool.id === "explore");
  }

  /** Whether a finger holds a place: swipes up and down over the map then scroll the page. */
  get scrolls(): boolean {
    return this.touched && this.holds;
  }

  /** Shows the button where a place is held. */
  present(): void {
    if (this.holds !== this.held.hidden) return;
    this.held.hidden = !this.holds;
    this.hideNote();
    this.update();
  }

  /** A pointer passes over the map. True when it is told now that this changes nothing. */
  passed(): boolean {
    if (!this.holds || this.tool().id !== "explore" || this.noteTimer || this.notes === NOTES) return false;
    this.notes++;
    this.note.hidden = false;
    this.noteTimer = window.setTimeout(() => (this.note.hidden = true), NOTE_MS);
    return true;
  }

  private hideNote(): void {
    clearTimeout(this.noteTimer);
    this.noteTimer = 0;
    this.note.hidden = true;
  }

  end(): void {
    this.hideNote();
  }

  update(): void {
    setText(this.words, [this.possible(), this.meaning()].filter(Boolean).join(" "));
  }

  private possible(): string {
    const { card, state } = this.context;
    const shown = SHOWN[card.dataset.kind] ?? "the picture";
    if (this.tool().id !== "explore") return `${this.tool().help}.`;
    if (this.scrolls) return `Held: ${shown} stays. Drag the ring or tap elsewhere; swipes up and down scroll.`;
    if (this.touched) return `Touch the map and drag: ${shown} follows your finger. Two fingers move and zoom the map.`;
    return state.now.pinned
      ? `Held: ${shown} stays. Click the marker or press P to let go; click elsewhere to hold there.`
      : `Move over the map: ${shown} follows. Click to hold.`;
  }

  /** What moving means on this plane. */
  private meaning(): string {
    const { plane } = this.context.places;
    const { card } = this.context;
    const { size } = card.codes;
    if (!plane.move)
      return `${plane.title} keeps neighbours together but has no way back: pointing at a sample shows that sample's own code.`;
    if (size <= 2) return "";
    if (plane.key === "pca") return "Moving changes the two main directions; all else stays as it is.";
    const others = size - (plane.axes[1] ? 2 : 1);
    const rest = others === 1 ? "number stays as it is" : "numbers stay as they are";
    return `Moving changes ${plane.axes.filter(Boolean).join(" and ")}; the other ${others} ${rest}.`;
  }
}
