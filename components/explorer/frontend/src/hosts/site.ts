/** The script of a site's pages (models/site.py), and of a page with several runs. */

import { BlockSource } from "../blocks";
import { Comparison } from "../compare/comparison";
import { addCompareStyles } from "../compare/styles";
import { generate } from "../site/generator";
import { preview } from "../site/preview";
import { begin, startWorker } from "./begin";
import { open } from "./run";

const COMPARED = ["colour", "layer", "tool", "hidden", "points", "aligned", "together", "held"] as const;

/** Shows the runs of this page side by side in `host`. */
async function compare(host: HTMLElement): Promise<void> {
  addCompareStyles(host);
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

begin(() => {
  const explorer = document.getElementById("explorer"),
    comparison = document.getElementById("comparison"),
    generator = document.getElementById("generator");
  if (explorer) void open(explorer);
  if (comparison) void compare(comparison);
  if (generator) void generate(generator);
  for (const one of document.querySelectorAll<HTMLElement>("[data-preview]")) preview(one);
});
