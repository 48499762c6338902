/** The button that plays something and pauses it. */

import { h, icon } from "../dom";

export class PlayButton {
  readonly element: HTMLButtonElement;

  constructor(testid: string, click: () => void) {
    this.element = h("button", { type: "button", class: "hg-icon", data: { testid }, on: { click } });
    this.show(false);
  }

  show(playing: boolean): void {
    this.element.replaceChildren(icon(playing ? "pause" : "play"));
    this.element.title = playing ? "Pause" : "Play";
    this.element.setAttribute("aria-label", this.element.title);
  }
}
