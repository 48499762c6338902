/** How the network is built: its layers, its formula, and a program that makes it. Lies over the map. */

import type { LayerRow, NetworkWords } from "../about";
import { h, setText } from "../dom";

export class Details {
  readonly element = h("section", {
    class: "hg-details",
    hidden: true,
    aria: { label: "How this network is built" },
    data: { testid: "network-details" },
  });

  constructor(private readonly network: NetworkWords | null | undefined) {}

  toggle(): void {
    if (!this.element.childElementCount) this.build();
    this.element.hidden = !this.element.hidden;
    if (!this.element.hidden) this.element.querySelector("button")?.focus({ preventScroll: true });
  }

  close(): void {
    this.element.hidden = true;
  }

  private build(): void {
    const close = h(
      "button",
      { type: "button", data: { testid: "network-close" }, on: { click: () => this.toggle() } },
      "Back to the map",
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.toggle();
    });
    const { network } = this;
    if (!network?.encoder.length) {
      this.element.append(close, h("p", {}, "The layers of this run are not known here: only its weights travelled."));
      return;
    }
    const copied = h("button", { type: "button", data: { testid: "copy-pytorch" } }, "Copy");
    copied.addEventListener("click", () => {
      void navigator.clipboard.writeText(network.pytorch).then(
        () => setText(copied, "Copied"),
        () => setText(copied, "Select the text and copy it"),
      );
    });
    this.element.append(
      h(
        "header",
        {},
        h("h3", {}, "How this network is built"),
        h(
          "span",
          { class: "hg-sum" },
          `${network.parameters.toLocaleString("en")} numbers were learnt. ${compressed(network.compression)}`,
        ),
        close,
      ),
      h("div", { class: "hg-layers" }, layers("Encoder", network.encoder), layers("Decoder", network.decoder)),
      h("pre", { class: "hg-formula", data: { testid: "formula" } }, network.formula.join("\n")),
      network.pytorch && h("h3", {}, "The same in PyTorch", copied),
      network.pytorch && h("pre", { tabIndex: 0, data: { testid: "pytorch" } }, network.pytorch),
    );
  }
}

/** How many numbers of a sample share one of its code, in words. */
function compressed(times: number): string {
  if (times <= 1) return "A code has as many numbers as a sample, or more.";
  return `A code has ${Number(times.toPrecision(2)).toLocaleString("en")} times fewer numbers than a sample.`;
}

function layers(title: string, rows: readonly LayerRow[]): HTMLElement {
  return h(
    "table",
    {},
    h("caption", {}, title),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "layer"),
        h("th", { scope: "col", class: "hg-number" }, "what leaves it"),
        h("th", { scope: "col", class: "hg-number" }, "numbers learnt"),
      ),
    ),
    h(
      "tbody",
      {},
      ...rows.map(([name, shape, parameters]) =>
        h(
          "tr",
          {},
          h("td", {}, name),
          h("td", { class: "hg-number" }, shape),
          h("td", { class: "hg-number" }, parameters ? parameters.toLocaleString("en") : ""),
        ),
      ),
    ),
  );
}
