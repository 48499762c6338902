/** What a lab of the browser is: it draws an answer that Python computed, and what a hand does with it. */

import type { Json } from "../card";
import { h } from "../dom";
import { messageOf } from "../fault";
import type { RunFolder } from "../run";
import { themeOf } from "../theme";

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

/** A lab that shows an answer A. Its constructor calls `update` when its parts are there. */
export abstract class Showing<A> implements Lab {
  protected ended = false;
  /** The colour of the page's text. */
  protected ink = "";
  protected readonly verdict = h("p", {
    class: "hg-lab-verdict",
    aria: { live: "polite" },
    data: { testid: "lab-verdict" },
  });
  /** The answer and the view that were sent last. */
  private asked = "";
  private timer = 0;

  constructor(
    protected readonly host: HTMLElement,
    protected readonly context: LabContext,
  ) {}

  /** The answer in what Python sent. */
  protected abstract read(data: Json): A | Promise<A>;
  /** Shows an answer, as a view has it. */
  protected abstract open(answer: A, view: LabView): void;
  /** How it is shown now; null while nothing is. */
  protected abstract view(): LabView | null;

  update(data: Json, view: LabView): void {
    const ink = themeOf(this.host).ink.text;
    const other = ink !== this.ink;
    this.ink = ink;
    const asked = JSON.stringify([data["id"], view]);
    if (asked === this.asked) {
      if (other) this.inked();
      return;
    }
    const again = this.asked !== "";
    this.asked = asked;
    const show = (answer: A): void => {
      if (this.ended || asked !== this.asked) return; // something else was asked for meanwhile
      this.open(answer, view);
      if (again) this.rest(); // what was reported before is of another view
    };
    const answer = this.read(data);
    if (answer instanceof Promise) this.attempt(answer.then(show));
    else show(answer);
  }

  /** The page has gone from light to dark, or back: what is painted has to be painted anew. */
  protected inked(): void {}

  protected ready(): void {
    this.host.dataset["ready"] = "true";
  }

  /** Says below an element why something could not be done. */
  protected attempt(work: Promise<unknown>, below: HTMLElement = this.verdict): void {
    work.catch((error: unknown) => {
      if (!this.ended) below.after(h("p", { role: "alert" }, messageOf(error)));
    });
  }

  /** Tells how it is shown, a moment after the hand has come to rest. */
  protected rest(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const view = this.view();
      if (view) this.context.report(view);
    }, 300);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }
}
