/** A lab in a Streamlit component. */

import type { Json } from "../card";
import { h } from "../dom";
import { LABS } from "../labs";
import type { Lab, LabView } from "../labs/lab";
import css from "../labs/labs.css?inline";
import { RunFolder } from "../run";
import { addStyles } from "../styles";
import { themeOf } from "../theme";
import { Tips } from "../tips";
import { Reports, served, type Send } from "./mount";

/** What Python sends. `run_url` is the address of the run's folder, relative to the app; `data` is the lab's own. */
export interface Payload {
  readonly lab: string;
  readonly run_url: string;
  readonly data: Json;
  readonly view: LabView;
}

interface Mounted {
  readonly root: HTMLElement;
  readonly lab: Lab;
  readonly tips: Tips;
  readonly of: string;
  readonly reports: Reports;
  readonly aborter: AbortController;
}

type Mount = ParentNode & Node & { hourglass?: Mounted };

/** Shows the payload in `host`; called again at every rerun of the page. Another run or lab replaces what is there. */
export function show(host: Mount, { lab, run_url: run, data, view }: Payload, send: Send): void {
  const of = `${lab} ${run}`;
  addStyles(host);
  addStyles(host, css, "hourglass-lab-style");
  if (host.hourglass?.of === of) {
    const { root, lab, reports } = host.hourglass;
    reports.drawn(send);
    root.classList.toggle("hg-dark", themeOf(root).dark);
    lab.update(data, view);
    return;
  }
  remove(host);
  const aborter = new AbortController();
  const reports = new Reports(send);
  const root = h("div", { class: "hg hg-lab", data: { testid: "lab", lab } });
  host.append(root);
  root.classList.toggle("hg-dark", themeOf(root).dark);
  const context = {
    folder: new RunFolder(served(run, aborter)),
    report: (shown: LabView) => reports.send("view", { of, ...shown }),
  };
  const shown = LABS[lab](root, data, view, context);
  host.hourglass = { root, lab: shown, tips: new Tips(root), of, reports, aborter };
}

export function remove(host: Mount): void {
  host.hourglass?.reports.end();
  host.hourglass?.lab.end();
  host.hourglass?.tips.end();
  host.hourglass?.aborter.abort();
  if (host.hourglass) host.replaceChildren();
  delete host.hourglass;
}
