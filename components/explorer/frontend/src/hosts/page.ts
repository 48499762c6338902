/**
 * Pages without a server: the page that is a run, and those of a site (models/site.py). The same script is the worker, since
 * from a disk nothing else can be fetched: there, no document is.
 */

import { BlockSource, takeBlocks } from "../blocks";
import { Comparison } from "../compare/comparison";
import { Explorer } from "../explorer";
import { serve } from "../network/serve";
import { generate } from "../site/generator";
import { preview } from "../site/preview";
import { addStyles } from "../styles";
import type { Report, View } from "../view";

const SHOWN = ["plane", "colour", "layer", "tool", "hidden", "points", "camera"] as const;
const COMPARED = ["colour", "layer", "tool", "hidden", "points", "aligned", "together", "held"] as const;

const startWorker = () => new Worker(document.documentElement.dataset["script"] ?? "");

/** Shows the run of this page in `host`. */
async function open(host: HTMLElement): Promise<void> {
  addStyles(host);
  const source = new BlockSource(document, host.dataset["run"]);
  const { meanings = [], palette = [], view: asMade = {} } = await source.facts();
  const shown = new URLSearchParams(location.hash.length > 1 ? location.hash.slice(1) : asMade);
  /** The page's own address keeps what is shown, so that it can be kept and sent. */
  const report: Report = (name, value) => {
    if (typeof value !== "object" || value === null) return;
    const said = value as Readonly<Record<string, unknown>>;
    if (name === "view")
      for (const key of SHOWN)
        if (typeof said[key] === "string" && said[key]) shown.set(key, said[key]);
        else shown.delete(key);
    if (name === "code" && Array.isArray(said["code"])) {
      shown.set("z", said["code"].join(","));
      shown.delete("free");
    }
    history.replaceState(null, "", `#${shown}`);
  };
  const explorer = new Explorer(host, {
    source,
    run: "",
    view: { ...viewOf(shown), palette },
    report,
    startWorker,
    about: { meanings },
  });
  addEventListener("hashchange", () =>
    explorer.update({ ...viewOf(new URLSearchParams(location.hash.slice(1))), palette }, report),
  );
}

/** Shows the runs of this page side by side in `host`. */
async function compare(host: HTMLElement): Promise<void> {
  addStyles(host);
  const runs = JSON.parse(host.dataset["runs"] ?? "[]") as readonly { readonly name: string; readonly title: string }[];
  const shown = new URLSearchParams(location.hash.slice(1));
  const sources = runs.map(({ name }) => new BlockSource(document, name));
  const facts = await Promise.all(sources.map((source) => source.facts()));
  const { palette = [] } = facts[0];
  const view = Object.fromEntries(COMPARED.flatMap((key) => (shown.has(key) ? [[key, shown.get(key)]] : [])));
  const report = (said: Readonly<Record<string, string>>) => {
    const kept = Object.entries(said).filter(([, value]) => value);
    history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
  };
  const compared = runs.map(({ title }, i) => ({
    source: sources[i],
    title,
    about: { meanings: facts[i].meanings ?? [] },
  }));
  new Comparison(host, compared, { ...view, palette }, report, startWorker);
}

function viewOf(shown: URLSearchParams): View {
  const view: Record<string, unknown> = {};
  for (const key of SHOWN) if (shown.has(key)) view[key] = shown.get(key);
  const code = shown.get("z")?.split(",").map(Number);
  return code ? { ...view, code, free: shown.has("free") } : view;
}

if (typeof document === "undefined") serve();
else {
  takeBlocks();
  const begin = () => {
    const explorer = document.getElementById("explorer"),
      comparison = document.getElementById("comparison"),
      generator = document.getElementById("generator");
    if (explorer) void open(explorer);
    if (comparison) void compare(comparison);
    if (generator) void generate(generator);
    for (const one of document.querySelectorAll<HTMLElement>("[data-preview]")) preview(one);
  };
  // Scripts with blocks stand behind this one.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
}
