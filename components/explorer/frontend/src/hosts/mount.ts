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

/** `send`, as long as `isMounted`. It waits while another page than the one of `path` is on its way. */
export function reporter(send: Send, path: string, isMounted: () => boolean): Send {
  const report: Send = (name, value) => {
    if (!isMounted()) return;
    if (isLeaving(path)) setTimeout(report, 100, name, value);
    else send(name, value);
  };
  return report;
}

/** Whether another page has been chosen and is not there yet: a report of this one would take Streamlit back to it. */
function isLeaving(path: string): boolean {
  const next = document.documentElement.dataset["leavingFor"];
  return next !== undefined && next !== path;
}
