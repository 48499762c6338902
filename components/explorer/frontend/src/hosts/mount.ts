/** What components of Streamlit that show runs have in common. */

import { HttpSource, type Source } from "../source";

export type Send = (name: string, value: unknown) => void;

/** The worker lies beside this module. */
export const startWorker = (): Worker =>
  new Worker(new URL(/* @vite-ignore */ `./${WORKER}`, import.meta.url), { type: "module" });
const WORKER = "worker.js";

/** A run that the app serves at `url`, relative to its own address. */
export const served = (url: string, aborter: AbortController): Source =>
  new HttpSource(new URL(url.replace(/\/*$/, "/"), document.baseURI).href, aborter.signal);

/**
 * What a component says to Streamlit. Whatever it says brings what the browser shows of the whole page with it, and would
 * choose that anew. So it waits while another page has been chosen that is not there yet; and what it says between Back,
 * Forward or a thing to try and the drawing after it is of what was shown before: nobody is told.
 */
export class Reports {
  private readonly path = location.pathname;
  private journey = journey();
  private ended = false;

  constructor(private through: Send) {}

  /** The page was drawn again, and this is the way to say something now. */
  drawn(through: Send): void {
    this.through = through;
    this.journey = journey();
  }

  readonly send: Send = (name, value) => {
    if (this.ended || (journey() !== undefined && journey() !== this.journey)) return;
    const next = document.documentElement.dataset["leavingFor"];
    if (next !== undefined && next !== this.path) setTimeout(this.send, 100, name, value);
    else this.through(name, value);
  };

  end(): void {
    this.ended = true;
  }
}

/** Which of the journeys that Back, Forward and things to try begin is under way, as the script of the whole page says. */
const journey = (): string | undefined => document.documentElement.dataset["journey"];
