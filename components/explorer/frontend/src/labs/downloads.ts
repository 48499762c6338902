/** Buttons that hand over a figure. */

import { h } from "../dom";
import { pixelsOf, type Figure } from "./figure";

/** SVG, PNG and CSV of a figure; `name` begins the names of the files. */
export function downloads(figure: Figure, name: string): HTMLElement {
  const save = (content: BlobPart, type: string, ending: string) => {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    const link = h("a", { href: url, download: `${name}.${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const one = (title: string, about: string, click: () => void) =>
    h("button", { type: "button", title: about, data: { testid: `lab-${title.toLowerCase()}` }, on: { click } }, title);
  return h(
    "div",
    { class: "hg-lab-downloads" },
    one(
      "PNG",
      "This figure as a picture",
      () => void pixelsOf(figure.file()).then((blob) => save(blob, "image/png", "png")),
    ),
    one("SVG", "This figure as a drawing", () => save(figure.file(), "image/svg+xml", "svg")),
    one("CSV", "The numbers behind it", () => save(figure.csv(), "text/csv", "csv")),
  );
}
