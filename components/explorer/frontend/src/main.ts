/** Mounting and cleaning up. All state hangs on the mount element, so that a rerun of the page changes nothing. */

import { Explorer, type View } from "./explorer";
import css from "./style.css?inline";

export interface Payload {
  readonly run_url: string;
  readonly view: View;
}

type Send = (name: string, value: unknown) => void;

interface Mount extends Element {
  hourglass?: { explorer: Explorer; url: string };
}

/** Shows the payload in `host`; called again at every rerun of the page. Another run replaces the explorer. */
export function show(host: Element, payload: Payload, send: Send): void {
  const mount = host as Mount;
  styled();
  if (mount.hourglass?.url === payload.run_url) {
    mount.hourglass.explorer.update(payload.view, send);
    return;
  }
  remove(host);
  mount.hourglass = { explorer: new Explorer(host, payload.run_url, payload.view, send), url: payload.run_url };
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
