/** What each method made of one noisy test sample, side by side. */

import { h } from "../dom";
import type { Painter } from "../paint";
import type { Answer } from "./denoise-answer";

export class Examples {
  readonly element = h("div", { class: "hg-lab-cells", data: { testid: "lab-examples" } });

  /** The methods' pictures of the picked sample, or of the first where none of it were kept. */
  draw(answer: Answer, noise: number, picked: number, painter: Painter): void {
    const { methods } = answer.noises[noise];
    this.element.replaceChildren(
      ...methods.map(({ title, name }, m) => {
        const kept = answer.examples[noise][m];
        const canvas = painter.canvas("hg-lab-picture");
        canvas.dataset["method"] = name;
        painter.paint(canvas, kept[picked] ?? kept[0]);
        return h("figure", { class: "hg-lab-cell" }, h("figcaption", { title }, title), canvas);
      }),
    );
  }
}
