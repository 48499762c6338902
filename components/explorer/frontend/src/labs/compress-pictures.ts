/** An image, what each method makes of it in as many bytes, and where that is wrong. */

import { h, setText } from "../dom";
import type { Painter } from "../paint";
import { errorMap, psnrOf, type Answer, type Method } from "./compress-answer";

interface Cell {
  readonly method: Method | null;
  readonly element: HTMLElement;
  readonly picture: HTMLCanvasElement;
  readonly error: HTMLCanvasElement;
  readonly words: HTMLElement;
}

interface Made {
  readonly pixels: ArrayLike<number>;
  readonly bytes: string;
}

export class Pictures {
  readonly element = h("div", { class: "hg-lab-cells" });
  private cells: Cell[] = [];
  private painter: Painter | null = null;

  /** A cell for the original and one for each method that loses something. */
  build(answer: Answer, painter: Painter): void {
    this.painter = painter;
    const lossy = answer.methods.filter(({ lossless }) => !lossless);
    this.cells = [this.cell(painter, null), ...lossy.map((method) => this.cell(painter, method))];
    this.element.replaceChildren(...this.cells.map(({ element }) => element));
  }

  private cell(painter: Painter, method: Method | null): Cell {
    const [picture, error] = [painter.canvas("hg-lab-picture"), painter.canvas("hg-lab-picture")];
    error.title = "Where it is wrong: dark is right";
    if (method) picture.dataset["testid"] = `lab-picture-${method.name}`;
    const words = h("small", {});
    const title = h("figcaption", {}, method?.title ?? "original");
    const element = h("figure", { class: "hg-lab-cell" }, title, picture, method && error, words);
    if (!method) element.append(h("small", {}, "Below each picture: where it is wrong. Dark is right."));
    return { method, element, picture, error, words };
  }

  /** made: the pixels that a method makes of the image and in how many bytes, or why there are none. */
  draw(answer: Answer, image: number, made: (method: Method) => Made | string): void {
    const { painter } = this;
    if (!painter) return;
    const truth = answer.originals[image];
    for (const { method, element, picture, error, words } of this.cells) {
      if (!method) {
        painter.paint(picture, truth, 0, 1);
        setText(words, `${answer.size.toLocaleString("en")} bytes`);
        continue;
      }
      const found = made(method);
      element.classList.toggle("hg-lab-none", typeof found === "string");
      if (typeof found === "string") {
        for (const canvas of [picture, error]) canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
        setText(words, found);
        continue;
      }
      painter.paint(picture, found.pixels, 0, 1);
      painter.paint(error, errorMap(found.pixels, truth, answer.shape), 0, 1);
      setText(words, `${found.bytes}, this one ${psnrOf(found.pixels, truth).toFixed(1)} dB`);
    }
  }
}
