/** Several runs side by side in a Streamlit component. */

import type { About } from "../about";
import { Comparison, type CompareView } from "../compare/comparison";
import { addCompareStyles } from "../compare/styles";
import { Reports, served, startWorker, type Send } from "./mount";

/** What Python sends: each run's address relative to the app, and what it is called. */
export interface Payload {
  readonly runs: readonly { readonly run_url: string; readonly title: string; readonly about?: About }[];
  readonly view: CompareView;
}

interface Mounted {
  readonly comparison: Comparison;
  readonly urls: string;
  readonly reports: Reports;
  readonly aborter: AbortController;
}

type Mount = ParentNode & Node & { hourglass?: Mounted };

/** Shows the payload in `host`; called again at every rerun of the page. Other runs replace what is there. */
export function show(host: Mount, { runs, view }: Payload, send: Send): void {
  const urls = runs.map((run) => run.run_url).join(" ");
  const say = (reports: Reports) => (shown: Readonly<Record<string, string>>) =>
    reports.send("view", { runs: urls, ...shown });
  addCompareStyles(host);
  if (host.hourglass?.urls === urls) {
    const { comparison, reports } = host.hourglass;
    reports.drawn(send);
    comparison.update(view, say(reports));
    return;
  }
  remove(host);
  const aborter = new AbortController();
  const compared = runs.map(({ run_url, title, about = {} }) => ({ source: served(run_url, aborter), title, about }));
  const reports = new Reports(send);
  const comparison = new Comparison(host, compared, view, say(reports), startWorker);
  host.hourglass = { comparison, urls, reports, aborter };
}

export function remove(host: Mount): void {
  host.hourglass?.reports.end();
  host.hourglass?.comparison.end();
  host.hourglass?.aborter.abort();
  delete host.hourglass;
}
