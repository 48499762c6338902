/** The explorer in a Streamlit component. All state hangs on the mount element, so that a rerun changes nothing. */

import type { About } from "../about";
import { Explorer } from "../explorer";
import { HttpSource } from "../source";
import { addStyles } from "../styles";
import type { Report, View } from "../view";

/** What Python sends. `run_url` is the address of a run folder, relative to the app. */
export interface Payload {
  readonly run_url: string;
  readonly view: View;
  readonly about?: About;
}

type Send = (name: string, value: unknown) => void;

interface Mounted {
  readonly explorer: Explorer;
  readonly url: string;
  readonly path: string;
  readonly aborter: AbortController;
}

type Mount = ParentNode & Node & { hourglass?: Mounted };

/** The worker lies beside this module. */
const startWorker = (): Worker =>
  new Worker(new URL(/* @vite-ignore */ `./${WORKER}`, import.meta.url), { type: "module" });
const WORKER = "worker.js";

/** Shows the payload in `host`; called again at every rerun of the page. Another run replaces the explorer. */
export function show(host: Mount, payload: Payload, send: Send): void {
  const report: Report = (name, value) => {
    if (!host.hourglass) return;
    if (isLeaving(host.hourglass.path)) setTimeout(report, 100, name, value);
    else send(name, value);
  };
  addStyles(host);
  if (host.hourglass?.url === payload.run_url) {
    host.hourglass.explorer.update(payload.view, report);
    return;
  }
  remove(host);
  const aborter = new AbortController();
  const folder = new URL(payload.run_url.replace(/\/*$/, "/"), document.baseURI).href;
  const source = new HttpSource(folder, aborter.signal);
  const explorer = new Explorer(host, source, payload.run_url, payload.view, report, startWorker, payload.about);
  host.hourglass = { explorer, url: payload.run_url, path: location.pathname, aborter };
}

/** Whether another page has been chosen and is not there yet: a report of this one would take Streamlit back to it. */
function isLeaving(path: string): boolean {
  const next = document.documentElement.dataset["leavingFor"];
  return next !== undefined && next !== path;
}

export function remove(host: Mount): void {
  host.hourglass?.explorer.end();
  host.hourglass?.aborter.abort();
  delete host.hourglass;
}
