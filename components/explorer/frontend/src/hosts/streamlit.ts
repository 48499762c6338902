/** The explorer in a Streamlit component. All state hangs on the mount element, so that a rerun changes nothing. */

import type { About } from "../about";
import { Explorer } from "../explorer";
import { addStyles } from "../styles";
import type { View } from "../view";
import { Reports, served, startWorker, type Send } from "./mount";

/** What Python sends. `run_url` is the address of a run folder, relative to the app. */
export interface Payload {
  readonly run_url: string;
  readonly view: View;
  readonly about?: About;
}

interface Mounted {
  readonly explorer: Explorer;
  readonly url: string;
  readonly reports: Reports;
  readonly aborter: AbortController;
}

type Mount = ParentNode & Node & { hourglass?: Mounted };

/** Shows the payload in `host`; called again at every rerun of the page. Another run replaces the explorer. */
export function show(host: Mount, payload: Payload, send: Send): void {
  const { run_url: run, view, about = {} } = payload;
  addStyles(host);
  if (host.hourglass?.url === run) {
    const { explorer, reports } = host.hourglass;
    reports.drawn(send);
    explorer.update(view, reports.send);
    return;
  }
  remove(host);
  const aborter = new AbortController();
  const source = served(run, aborter);
  const reports = new Reports(send);
  const explorer = new Explorer(host, { source, run, view, report: reports.send, startWorker, about });
  host.hourglass = { explorer, url: run, reports, aborter };
}

export function remove(host: Mount): void {
  host.hourglass?.reports.end();
  host.hourglass?.explorer.end();
  host.hourglass?.aborter.abort();
  delete host.hourglass;
}
