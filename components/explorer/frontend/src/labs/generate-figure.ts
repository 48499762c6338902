/** How far drawn samples are from real ones: against the number of components, beside the other ways and real samples. */

import { h } from "../dom";
import { Chart, type Series } from "./chart";
import { downloads } from "./downloads";
import { componentsOf, type Answer } from "./generate-answer";
import { keysOf } from "./parts";

const COLOURS: Readonly<Record<string, string>> = {
  prior: "#cc79a7",
  classes: "#009e73",
  kernel: "#e69f00",
  plain: "#8c8c8c",
  floor: "#56b4e9",
};

export class DistanceFigure {
  readonly element: HTMLElement;
  private readonly chart: Chart;
  private readonly legend = h("div", { class: "hg-lab-legend" });

  /** moved: the hand asks for the mixture of so many components. */
  constructor(moved: (components: number) => void) {
    this.chart = new Chart("Components of the mixture", moved, "components");
    this.element = h("div", {}, this.chart.element, this.legend, downloads(this.chart, "distance"));
  }

  draw({ ways, floor, against }: Answer): void {
    const mixtures = ways.filter(({ name }) => componentsOf(name) !== null);
    const stops = mixtures.map(({ name }) => componentsOf(name) ?? 1);
    const plain = ways.find(({ title }) => title === against);
    const others = ways.filter(({ name, ours }) => ours && componentsOf(name) === null);
    const flat = (y: number) => [[1, y] as const, [100, y] as const];
    const series: Series[] = [
      {
        name: "mixture",
        title: "Gaussian mixture",
        colour: "var(--accent)",
        main: true,
        points: mixtures.map(({ distance }, i) => [stops[i], distance] as const),
      },
      ...[...others, ...(plain ? [plain] : [])].map(({ name, title, ours, distance }) => ({
        name,
        title,
        colour: COLOURS[ours ? name : "plain"],
        plain: true,
        points: flat(distance),
      })),
      { name: "floor", title: "real from real", colour: COLOURS["floor"], dashed: true, points: flat(floor) },
    ];
    const axis = "Fréchet distance";
    const all = series.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
    this.chart.draw(
      { title: "components of the mixture", log: true, low: 1, high: 100, stops: stops.sort((a, b) => a - b) },
      Math.max(...all) > 8 * Math.min(...all)
        ? { title: axis, log: true, low: 0.8 * Math.min(...all), high: 1.25 * Math.max(...all) }
        : { title: axis, low: 0, high: 1.1 * Math.max(...all) },
      series,
    );
    this.legend.replaceChildren(...keysOf(series));
  }

  place(components: number, words: string): void {
    this.chart.place(components, words);
  }
}
