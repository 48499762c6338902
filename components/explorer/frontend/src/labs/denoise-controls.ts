/** What is set around the pad of the lab Denoise: the sample, the pen, the noise and the watermark. */

import { choice, h } from "../dom";
import type { Answer } from "./denoise-answer";
import { ImagePad, PENS, type Pad, type Pen } from "./pads";
import { press, slider } from "./parts";
import { KINDS, type Noise } from "./spoiling";

/** The noise that is on the sample besides the pen's. level in [0, 1]; another seed is another draw of it. */
export interface Live {
  noise: Noise;
  level: number;
  seed: number;
}

interface Told {
  picked(index: number): void;
  changed(): void;
  cleared(): void;
}

export class Controls {
  readonly element = h("div", { class: "hg-lab-settings" });
  readonly live: Live = { noise: "none", level: 0.5, seed: 1 };
  /** Whether the sample is drawn by hand. */
  drawing = false;
  private pad: Pad | null = null;
  private picked = 0;
  private readonly thumbs = h("div", { class: "hg-lab-thumbs", role: "group", aria: { label: "Test sample" } });
  private readonly pens = h("div", { class: "hg-lab-scores", role: "group", aria: { label: "Pen" } });
  private readonly noise: HTMLLabelElement;
  private readonly level = this.range("Level", "lab-level", 0, 1, (value) => (this.live.level = value));
  private readonly width = this.range("Width of the pen", "lab-width", 0.03, 0.25, (value) => {
    if (this.pad instanceof ImagePad) this.pad.width = value;
  });
  private readonly strength = this.range("Strength", "lab-strength", 0, 1, (value) => {
    if (this.pad instanceof ImagePad) this.pad.strength = value;
  });
  private readonly size = this.range("Size", "lab-size", 0.1, 0.8, (value) => {
    if (this.pad instanceof ImagePad) this.pad.size = value;
  });
  private readonly text = h("input", {
    type: "text",
    maxLength: 16,
    placeholder: "none",
    data: { testid: "lab-text" },
    aria: { label: "Watermark" },
    on: {
      input: () => {
        if (this.pad instanceof ImagePad) this.pad.text = this.text.value;
        this.read();
        this.told.changed();
      },
    },
  });

  private readonly again = press(
    "Draw again",
    "lab-again",
    () => {
      this.live.seed++;
      this.told.changed();
    },
    "The same noise, drawn anew",
  );

  constructor(private readonly told: Told) {
    this.noise = choice(
      "Noise",
      KINDS,
      "none",
      (value) => {
        this.live.noise = this.known(value) ?? "none";
        this.read();
        this.told.changed();
      },
      "lab-kind",
    );
  }

  /** A noise that can be put on here, by its name. */
  known(name: string | undefined): Noise | null {
    return KINDS.find(([known]) => known === name)?.[0] ?? null;
  }

  open(answer: Answer, pad: Pad | null, picked: number): void {
    [this.pad, this.picked, this.drawing] = [pad, picked, false];
    const { classes, labels, originals } = answer;
    this.thumbs.replaceChildren(
      ...originals.map((_, i) => {
        const name = classes[labels[i]];
        return h(
          "button",
          {
            type: "button",
            title: name ?? "",
            aria: { label: `Test sample ${i + 1}${name ? `: ${name}` : ""}` },
            on: {
              click: () => {
                [this.picked, this.drawing] = [i, false];
                this.told.picked(i);
              },
            },
          },
          pad?.painter.canvas("hg-lab-thumb"),
        );
      }),
    );
    this.paint(answer);
    const image = pad instanceof ImagePad;
    this.pens.replaceChildren(
      ...PENS.map(([pen, title]) =>
        h(
          "button",
          { type: "button", data: { pen, testid: `lab-pen-${pen}` }, on: { click: () => this.take(pen) } },
          title,
        ),
      ),
    );
    const clear = press("Clear", "lab-clear", () => this.told.cleared());
    const mark = h("label", { class: "hg-choice" }, h("span", {}, "Watermark"), this.text);
    const row = (...parts: (Node | false)[]) => h("div", { class: "hg-lab-controls" }, ...parts);
    this.element.replaceChildren(
      this.thumbs,
      ...(image ? [row(this.pens, this.width.element)] : []),
      row(this.noise, this.level.element, h("div", { class: "hg-lab-scores" }, this.again, clear)),
      ...(image ? [row(mark, this.strength.element, this.size.element)] : []),
    );
  }

  /** Paints the samples small. */
  paint({ originals }: Answer): void {
    this.thumbs.querySelectorAll("canvas").forEach((canvas, i) => this.pad?.painter.paint(canvas, originals[i]));
  }

  private take(pen: Pen): void {
    if (!(this.pad instanceof ImagePad)) return;
    this.pad.pen = pen;
    if (pen === "draw" && !this.drawing) {
      this.drawing = true;
      this.live.noise = "none"; // a clean sheet
      this.pad.clear();
      this.pad.blank();
    }
    this.read();
    this.told.changed();
  }

  /** Shows what is set now. */
  read(): void {
    const { pad, live } = this;
    const select = this.noise.querySelector("select");
    if (select) select.value = live.noise;
    this.level.set(live.level);
    this.level.element.hidden = this.again.hidden = live.noise === "none";
    [...this.thumbs.children].forEach((thumb, i) =>
      thumb.setAttribute("aria-pressed", String(!this.drawing && i === this.picked)),
    );
    if (!(pad instanceof ImagePad)) return;
    for (const button of this.pens.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset["pen"] === pad.pen));
      if (button.dataset["pen"] === "mark") button.hidden = !pad.text;
    }
    if (pad.pen === "mark" && !pad.text) this.take("light");
    if (this.text.value !== pad.text) this.text.value = pad.text;
    this.width.set(pad.width);
    this.strength.set(pad.strength);
    this.size.set(pad.size);
    this.strength.element.hidden = this.size.element.hidden = !pad.text;
  }

  private range(title: string, testid: string, low: number, high: number, set: (value: number) => void) {
    const { input, element, say } = slider(title, testid, [low, high, 0.01], (value) => {
      set(value);
      say(percent(value));
      this.told.changed();
    });
    return {
      element,
      set: (value: number) => {
        input.value = String(value);
        say(percent(value));
      },
    };
  }
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
