/** The explorer of a run on a page without a server. */

import { BlockSource } from "../blocks";
import { Explorer } from "../explorer";
import { blended } from "../network/drawn";
import { unpacked } from "../run";
import { addStyles } from "../styles";
import type { Report, View } from "../view";
import { startWorker } from "./begin";

const SHOWN = ["plane", "colour", "layer", "tool", "hidden", "points", "camera"] as const;

/** Shows the run of this page in `host`. */
export async function open(host: HTMLElement): Promise<void> {
  addStyles(host);
  const source = new BlockSource(document, host.dataset["run"]);
  const { meanings = [], palette = [], view: asMade = {}, drawn } = await source.facts();
  const block = async (name: string) => unpacked(await source.bytes(name));
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
    // Inside another page, as a notebook has it, there is no address of its own.
    if (location.protocol !== "about:") history.replaceState(null, "", `#${shown}`);
  };
  const explorer = new Explorer(host, {
    source,
    run: "",
    view: { ...viewOf(shown), palette },
    report,
    startWorker,
    about: { meanings },
    ask: drawn
      ? blended({
          ...drawn,
          places: new Float32Array((await block("drawn.f32")).buffer),
          values: await block("drawn.u8"),
        })
      : null,
  });
  addEventListener("hashchange", () =>
    explorer.update({ ...viewOf(new URLSearchParams(location.hash.slice(1))), palette }, report),
  );
}

function viewOf(shown: URLSearchParams): View {
  const view: Record<string, unknown> = {};
  for (const key of SHOWN) if (shown.has(key)) view[key] = shown.get(key);
  const code = shown.get("z")?.split(",").map(Number);
  return code ? { ...view, code, free: shown.has("free") } : view;
}
