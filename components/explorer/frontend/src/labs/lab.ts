/** What a lab of the browser is: it draws an answer that Python computed, and what a hand does with it. */

import type { Json } from "../card";
import type { RunFolder } from "../run";

/** How a lab is shown, as the address has it. */
export type LabView = Readonly<Record<string, string>>;

export interface LabContext {
  /** The run that the question is about. */
  readonly folder: RunFolder;
  /** Tells how the lab is shown now, when the hand has come to rest. */
  report(view: LabView): void;
}

export interface Lab {
  /** Called again at every rerun of the page with what is computed by then. */
  update(data: Json, view: LabView): void;
  end(): void;
}

export type LabOf = (host: HTMLElement, data: Json, view: LabView, context: LabContext) => Lab;
