/** Where selected samples went: how close together they are in each run, and how mixed with others. */

import { h, setText } from "../dom";
import type { Scene } from "../scene";
import { Turns } from "./neighbourhoods";

/** So many of the selected samples are asked for their neighbours. */
const ASKED = 400;
const NEIGHBOURS = 5;

/** Of some codes: how spread they are beside all codes, and which share of their neighbours are none of them. */
export interface Gathering {
  /** Their root mean squared distance from their middle, over that of all codes: 0 are all in one place, 1 as spread as all. */
  readonly spread: number;
  /** The share of their nearest neighbours that are not among them, 0 to 1. */
  readonly mixed: number;
}

/** How `samples` lie among all codes (`size` numbers each). `nearest` finds the positions of the k nearest.
 * Null once it is called off. */
export async function gathering(
  codes: Float32Array,
  size: number,
  samples: Int32Array,
  nearest: (index: number, k: number) => readonly number[],
  turns: Turns,
): Promise<Gathering | null> {
  const every = Int32Array.from({ length: codes.length / size }, (_, i) => i);
  const inside = new Set(samples);
  const step = Math.max(1, Math.floor(samples.length / ASKED));
  let [strangers, asked] = [0, 0];
  for (let i = 0; i < samples.length; i += step) {
    for (const one of nearest(samples[i], NEIGHBOURS)) {
      asked++;
      if (!inside.has(one)) strangers++;
    }
    if (turns.due && !(await turns.wait())) return null;
  }
  return { spread: radius(codes, size, samples) / radius(codes, size, every), mixed: strangers / asked };
}

/** The root mean squared distance of some codes from their middle. */
function radius(codes: Float32Array, size: number, samples: Int32Array): number {
  const mean = new Float64Array(size);
  for (const i of samples) for (let d = 0; d < size; d++) mean[d] += codes[i * size + d] / samples.length;
  let sum = 0;
  for (const i of samples) for (let d = 0; d < size; d++) sum += (codes[i * size + d] - mean[d]) ** 2;
  return Math.sqrt(sum / samples.length);
}

export class Went {
  readonly element = h("section", {
    class: "hg-went",
    hidden: true,
    aria: { label: "Where the selected samples went" },
    data: { testid: "went" },
  });

  private asked = 0;

  constructor(
    private readonly scenes: readonly Scene[],
    private readonly titles: readonly string[],
  ) {}

  /** The selection has changed. */
  async show(): Promise<void> {
    const asked = ++this.asked;
    const chosen = this.scenes.map(({ state }) => state.now.selection?.samples ?? new Int32Array(0));
    const none = chosen.every((samples) => !samples.length);
    this.element.hidden = none && this.scenes[0].state.now.tool !== "lasso";
    if (none) {
      const words = "Draw around points on any map: the same samples light up on the others.";
      return this.element.replaceChildren(h("p", {}, words));
    }
    const head = ["", "samples", "mean error", "spread", "mixed with others"];
    const rows = this.scenes.map((scene, i) => {
      const error = meanOf(scene.data.errors, chosen[i]);
      return [this.titles[i], chosen[i].length.toLocaleString("en"), error, "…", "…"].map((text) => h("td", {}, text));
    });
    this.element.replaceChildren(
      h("h3", {}, "Where the selected samples went"),
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((text) => h("th", {}, text)))),
        h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells))),
      ),
      h(
        "p",
        {},
        "Spread: how far they are from their middle, beside all samples (0 %: all in one place; 100 %: as spread as all). ",
        "Mixed: how many of their five nearest neighbours were not selected.",
      ),
    );
    const turns = new Turns(() => asked !== this.asked);
    if (!(await turns.wait())) return; // the maps are drawn first
    for (const [i, { card, data }] of this.scenes.entries()) {
      const nearest = (index: number, k: number) =>
        (data.finder?.nearest(data.codeOf(index), k + 1) ?? []).map((one) => one.index).filter((one) => one !== index);
      const found = chosen[i].length && (await gathering(data.codes, card.codes.size, chosen[i], nearest, turns));
      if (found === null) return;
      const shares = found ? [found.spread, found.mixed] : [];
      rows[i].slice(3).forEach((cell, k) => setText(cell, k in shares ? `${Math.round(100 * shares[k])} %` : "–"));
    }
  }

  end(): void {
    this.asked++;
  }
}

function meanOf(errors: Float32Array | null, samples: Int32Array): string {
  if (!errors || !samples.length) return "–";
  return (samples.reduce((sum, i) => sum + errors[i], 0) / samples.length).toPrecision(3);
}
