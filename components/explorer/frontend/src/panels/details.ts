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
          `${network.parameters.toLocaleString("en")} numbers were learnt; ${Number(network.compression.toPrecision(2))} numbers of a sample share one number of its code.`,
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

function layers(title: string, rows: readonly LayerRow[]): HTMLElement {
  return h(
    "table",
    {},
    h("caption", {}, title),
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
