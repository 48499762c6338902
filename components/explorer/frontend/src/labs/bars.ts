/** A table of methods in numbers, with a bar for the one that is compared. It leaves as SVG, as PNG and as CSV. */

import { h } from "../dom";
import { term } from "../tips";
import { cell, NS, paperOf, svg, type Figure } from "./figure";

export interface Column {
  readonly title: string;
  /** What is said of it. */
  readonly about: string;
  /** A number as it is shown. */
  say(value: number): string;
}

export interface Row {
  readonly title: string;
  /** Who made it and how it is set, where that is known. */
  readonly about: string;
  /** The one that the figure is about. */
  readonly main: boolean;
  /** A number for each column; null where there is none. */
  readonly values: readonly (number | null)[];
}

const WIDTH = 640,
  TALL = 30,
  LEFT = 230;

export class Bars implements Figure {
  readonly element = h("table", { class: "hg-lab-bars", data: { testid: "lab-bars" } });
  private columns: readonly Column[] = [];
  private rows: readonly Row[] = [];
  private shown = 0;

  /** `chosen` is called with a column whose bars are wanted. */
  constructor(private readonly chosen: (column: number) => void) {}

  /** The best stands first by the column that has the bars. `head`: what the rows are. */
  draw(columns: readonly Column[], rows: readonly Row[], shown: number, head = "method"): void {
    [this.columns, this.shown] = [columns, shown];
    this.rows = [...rows].sort((a, b) => (b.values[shown] ?? -Infinity) - (a.values[shown] ?? -Infinity));
    const heads = columns.map(({ title, about }, i) =>
      h(
        "th",
        { scope: "col", aria: { sort: i === shown ? "descending" : "none" } },
        h("button", { type: "button", data: { tip: about }, on: { click: () => this.choose(i) } }, title),
      ),
    );
    this.element.replaceChildren(
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, head), ...heads)),
      h("tbody", {}, ...this.rows.map((row) => this.row(row))),
    );
    // Where the table is wider than the screen, what has the bars is in sight.
    const { parentElement: frame } = this.element;
    const chosen = this.element.querySelector<HTMLElement>("[aria-sort=descending]");
    if (frame && chosen && frame.scrollWidth > frame.clientWidth)
      frame.scrollLeft = chosen.offsetLeft + chosen.offsetWidth - frame.clientWidth;
  }

  /** The heads are drawn anew by then: who chose with a key goes on from there. */
  private choose(column: number): void {
    this.chosen(column);
    this.element.querySelectorAll<HTMLElement>("thead button")[column]?.focus();
  }

  private row({ title, about, main, values }: Row): HTMLElement {
    const head = h("th", { scope: "row" }, about ? term(title, about) : h("span", {}, title));
    const bar = h("i", {});
    bar.style.width = `${100 * this.share(values[this.shown])}%`;
    head.append(bar);
    const cells = values.map((value, i) =>
      h("td", { class: i === this.shown ? "hg-lab-shown" : "" }, value === null ? "–" : this.columns[i].say(value)),
    );
    return h("tr", { class: main ? "hg-lab-main" : "" }, head, ...cells);
  }

  /** How long a bar is, as a share of the longest. */
  private share(value: number | null): number {
    const all = this.rows.map(({ values }) => values[this.shown] ?? 0);
    return Math.max(0, value ?? 0) / Math.max(1e-12, ...all);
  }

  file(): string {
    const style = getComputedStyle(this.element);
    const height = TALL * (this.rows.length + 1) + 10;
    const drawing = svg("svg", { width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` });
    drawing.setAttribute("xmlns", NS);
    const accent = style.getPropertyValue("--accent").trim() || "#2563eb";
    drawing.append(
      svg("style", {}, `text{font:13px system-ui,sans-serif;fill:${style.color}}`),
      svg("rect", { width: "100%", height: "100%", fill: paperOf(this.element) }),
      svg("text", { x: LEFT, y: 20 }, this.columns[this.shown].title),
    );
    this.rows.forEach(({ title, main, values }, i) => {
      const y = TALL * (i + 1),
        wide = (WIDTH - LEFT - 80) * this.share(values[this.shown]);
      const value = values[this.shown];
      drawing.append(
        svg("text", { x: LEFT - 10, y: y + 19, "text-anchor": "end" }, title),
        svg("rect", { x: LEFT, y: y + 6, width: wide, height: TALL - 12, fill: main ? accent : "#8c8c8c", rx: 2 }),
        svg("text", { x: LEFT + wide + 8, y: y + 19 }, value === null ? "–" : this.columns[this.shown].say(value)),
      );
    });
    return new XMLSerializer().serializeToString(drawing);
  }

  csv(): string {
    const heads = ["method", "setting", ...this.columns.map(({ title }) => title)].map(cell).join(",");
    const rows = this.rows.map(({ title, about, values }) =>
      [cell(title), cell(about), ...values.map((value) => (value === null ? "" : String(value)))].join(","),
    );
    return [heads, ...rows].join("\r\n") + "\r\n";
  }
}
