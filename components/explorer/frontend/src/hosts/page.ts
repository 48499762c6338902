/**
 * A page that is the run: opened from a disk, without a server. The same script is the page's worker, since nothing else
 * can be fetched: there, no document is.
 */

import { BlockSource } from "../blocks";
import { Explorer } from "../explorer";
import { serve } from "../network/serve";
import { addStyles } from "../styles";
import type { Report, View } from "../view";

const SHOWN = ["plane", "colour", "layer", "tool", "hidden", "points", "camera"] as const;

function open(): void {
  const host = document.getElementById("explorer"),
    script = document.documentElement.dataset["script"] ?? "";
  if (!host) return;
  addStyles(host);
  const shown = new URLSearchParams(location.hash.slice(1));
  /** The page's own address keeps what is shown, so that it can be kept and sent. */
  const report: Report = (name, value) => {
    if (typeof value !== "object" || value === null) return;
    const said = value as Readonly<Record<string, unknown>>;
    if (name === "view")
      for (const key of SHOWN)
        if (typeof said[key] === "string" && said[key]) shown.set(key, said[key]);
        else shown.delete(key);
    if (name === "code" && Array.isArray(said["code"])) shown.set("z", said["code"].join(","));
    history.replaceState(null, "", `#${shown}`);
  };
  const explorer = new Explorer(host, new BlockSource(document), "", viewOf(shown), report, () => new Worker(script));
  addEventListener("hashchange", () => explorer.update(viewOf(new URLSearchParams(location.hash.slice(1))), report));
}

function viewOf(shown: URLSearchParams): View {
  const view: Record<string, unknown> = {};
  for (const key of SHOWN) if (shown.has(key)) view[key] = shown.get(key);
  const code = shown.get("z")?.split(",").map(Number);
  return code ? { ...view, code } : view;
}

if (typeof document === "undefined") serve();
else open();
