/** Mounting and cleaning up. All state hangs on the mount element, so that a rerun of the page changes nothing. */

import { Explorer, type View } from "./explorer";
import css from "./style.css?inline";

export interface Payload {
  readonly run_url: string;
  readonly view: View;
}

type Send = (name: string, value: unknown) => void;

interface Mount extends Element {
  hourglass?: { explorer: Explorer; url: string; path: string };
}

/** Shows the payload in `host`; called again at every rerun of the page. Another run replaces the explorer. */
export function show(host: Element, payload: Payload, send: Send): void {
  const mount = host as Mount;
  const report: Send = (name, value) => {
    if (!mount.hourglass) return;
    if (leaving(mount.hourglass.path)) setTimeout(report, 100, name, value);
    else send(name, value);
  };
  styled();
  if (mount.hourglass?.url === payload.run_url) {
    mount.hourglass.explorer.update(payload.view, report);
    return;
  }
  remove(host);
  const explorer = new Explorer(host, payload.run_url, payload.view, report);
  mount.hourglass = { explorer, url: payload.run_url, path: location.pathname };
}

/** Whether another page has been chosen and is not there yet: a report of this one would take Streamlit back to it. */
function leaving(path: string): boolean {
  const next = document.documentElement.dataset["leavingFor"];
  return next !== undefined && next !== path;
}

export function remove(host: Element): void {
  const mount = host as Mount;
  mount.hourglass?.explorer.end();
  delete mount.hourglass;
}

function styled(): void {
  if (document.getElementById("hourglass-style")) return;
  const style = document.createElement("style");
  style.id = "hourglass-style";
  style.textContent = css;
  document.head.append(style);
}
