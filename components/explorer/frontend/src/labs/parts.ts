/** Pieces that several labs are made of: buttons, sliders and legends, numbers of an address, bytes that travel as text. */

import { h, setText } from "../dom";
import type { LabView } from "./lab";

/** A button. `about`: what it does, where its words do not say that. */
export const press = (words: string, testid: string, click: () => void, about?: string): HTMLButtonElement =>
  h("button", { type: "button", ...(about && { title: about }), data: { testid }, on: { click } }, words);

export interface Slider {
  readonly element: HTMLLabelElement;
  readonly input: HTMLInputElement;
  /** What its place means, for eyes and ears. Where it stands is left to the hand: a rounded value would hold it fast. */
  readonly say: (words: string) => void;
}

/** A slider with its title above and its value in words beside it. */
export function slider(
  title: string,
  testid: string,
  [min, max, step]: readonly [min: number, max: number, step: number],
  moved: (value: number) => void,
): Slider {
  const input = h("input", {
    type: "range",
    min: String(min),
    max: String(max),
    step: String(step),
    data: { testid },
    aria: { label: title },
    on: { input: () => moved(Number(input.value)) },
  });
  const output = h("output", {});
  return {
    input,
    element: h("label", { class: "hg-lab-range" }, h("span", {}, title), input, output),
    say: (words) => {
      input.setAttribute("aria-valuetext", words);
      setText(output, words);
    },
  };
}

export interface Key {
  readonly title: string;
  readonly colour: string;
  readonly main?: boolean;
  readonly dashed?: boolean | undefined;
}

/** What colours mean. */
export const keysOf = (lines: readonly Key[]): HTMLElement[] =>
  lines.map(({ title, colour, main, dashed }) => {
    const mark = h("i", {});
    mark.style.background = dashed ? `repeating-linear-gradient(90deg, ${colour} 0 5px, transparent 5px 9px)` : colour;
    return h("span", { class: main ? "hg-lab-main" : "" }, mark, title);
  });

/** A number of a view between two ends; what is usual where there is none. */
export function numberIn(view: LabView, name: string, usual: number, low = -Infinity, high = Infinity): number {
  const value = Number(view[name]);
  return view[name] && Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : usual;
}

/** Bytes that travel as text, in base64. */
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
