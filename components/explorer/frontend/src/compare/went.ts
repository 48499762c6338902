/** Where selected samples went: how close together they are in each run, and how mixed with others. */

import { h } from "../dom";
import type { Scene } from "../scene";

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

/** How `samples` lie among all codes (`size` numbers each). `nearest` finds the positions of the k nearest. */
export function gathering(
  codes: Float32Array,
  size: number,
  samples: Int32Array,
  nearest: (index: number, k: number) => readonly number[],
): Gathering {
  const every = Int32Array.from({ length: codes.length / size }, (_, i) => i);
  const inside = new Set(samples);
  const step = Math.max(1, Math.floor(samples.length / ASKED));
  let [strangers, asked] = [0, 0];
  for (let i = 0; i < samples.length; i += step)
    for (const one of nearest(samples[i], NEIGHBOURS)) {
      asked++;
      if (!inside.has(one)) strangers++;
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

  constructor(
    private readonly scenes: readonly Scene[],
    private readonly titles: readonly string[],
  ) {}

  /** The selection has changed. */
  show(): void {
    const chosen = this.scenes.map(({ state }) => state.now.selection?.samples ?? new Int32Array(0));
    const none = chosen.every((samples) => !samples.length);
    this.element.hidden = none && this.scenes[0].state.now.tool !== "lasso";
    if (none) {
      const words = "Draw around points on any map: the same samples light up on the others.";
      return this.element.replaceChildren(h("p", {}, words));
    }
    const head = ["", "samples", "spread", "mixed with others", "mean error"];
    const rows = this.scenes.map((scene, i) => this.row(scene, this.titles[i], chosen[i]));
    this.element.replaceChildren(
      h("h3", {}, "Where the selected samples went"),
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((text) => h("th", {}, text)))),
        h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((text) => h("td", {}, text))))),
      ),
      h(
        "p",
        {},
        "Spread: how far they are from their middle, beside all samples (0 %: all in one place; 100 %: as spread as all). ",
        "Mixed: how many of their five nearest neighbours were not selected.",
      ),
    );
  }

  private row({ card, data }: Scene, title: string, samples: Int32Array): string[] {
    if (!samples.length) return [title, "0", "–", "–", "–"];
    const nearest = (index: number, k: number) =>
      (data.finder?.nearest(data.codeOf(index), k + 1) ?? []).map((one) => one.index).filter((one) => one !== index);
    const { spread, mixed } = gathering(data.codes, card.codes.size, samples, nearest);
    const percent = (share: number) => `${Math.round(100 * share)} %`;
    const { errors } = data;
    const error = errors && samples.reduce((sum, i) => sum + errors[i], 0) / samples.length;
    return [
      title,
      samples.length.toLocaleString("en"),
      percent(spread),
      percent(mixed),
      error === null ? "–" : error.toPrecision(3),
    ];
  }
}
