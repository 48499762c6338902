/** The choices of a training: few at first, the others under More. */

import { choice, h } from "../dom";
import { MOST, widthsOf, type Activation, type Noise, type Spec } from "./spec";

const ACTIVATION: Record<Activation, string> = {
  norm: "GELU, layer norm",
  gelu: "GELU",
  relu: "ReLU",
  sigmoid: "Sigmoid",
};
const NOISE: Record<Noise, string> = { none: "none", gaussian: "Gaussian", masking: "masked" };
const BATCH = 128;

export class Form {
  readonly element: HTMLElement;
  private readonly size: HTMLInputElement;
  private readonly widths: HTMLInputElement;
  private readonly variational: HTMLInputElement;
  private readonly rate: HTMLInputElement;
  private readonly epochs: HTMLInputElement;
  private readonly level: HTMLInputElement;
  private readonly seed: HTMLInputElement;
  private activation: Activation;
  private noise: Noise;

  /** begun: what it shows at first. changed is called at every change. */
  constructor(
    private readonly begun: Spec,
    private readonly features: number,
    changed: () => void,
  ) {
    const { size, widths, variational, rate, epochs, level, seed } = begun;
    [this.activation, this.noise] = [begun.activation, begun.noise];
    const field = (
      testid: string,
      value: string,
      more: Partial<Pick<HTMLInputElement, "min" | "max" | "step" | "type" | "inputMode">> = {},
    ) => h("input", { type: "number", value, data: { testid }, on: { input: changed }, ...more });
    this.size = field("again-size", String(size), { min: "1", max: String(Math.min(MOST.size, features)) });
    this.widths = field("again-widths", widths.join(", "), { type: "text", inputMode: "numeric" });
    this.variational = h("input", {
      type: "checkbox",
      checked: variational,
      data: { testid: "again-variational" },
      on: { change: changed },
    });
    this.rate = field("again-rate", String(rate), { min: "0", max: String(MOST.rate), step: "any" });
    this.epochs = field("again-epochs", String(epochs), { min: "1", max: String(MOST.epochs) });
    this.level = field("again-level", String(level), { min: "0", max: "1", step: "any" });
    this.seed = field("again-seed", String(seed), { min: "0" });
    const strength = labelled("Strength", this.level);
    strength.hidden = this.noise === "none";
    const one = <K extends string>(
      label: string,
      of: Record<K, string>,
      now: K,
      take: (value: K) => void,
      id: string,
    ) => choice(label, Object.entries<string>(of), now, (value) => (take(value as K), changed()), id);
    this.element = h(
      "div",
      { class: "hg-form hg-again-form" },
      labelled("Numbers in a code", this.size),
      labelled(
        "Hidden layers",
        this.widths,
        "Units of the encoder's hidden layers, as 128, 64; the decoder's are the same",
      ),
      one("Activation", ACTIVATION, this.activation, (value) => (this.activation = value), "again-activation"),
      h(
        "label",
        { class: "hg-check", title: "Each sample becomes a small cloud around its code" },
        this.variational,
        "Variational",
      ),
      h(
        "details",
        {},
        h("summary", {}, "More"),
        h(
          "div",
          { class: "hg-form hg-again-form" },
          labelled("Learning rate", this.rate),
          labelled("Epochs", this.epochs, "How often each sample is seen"),
          one(
            "Noise",
            NOISE,
            this.noise,
            (value) => {
              this.noise = value;
              strength.hidden = value === "none";
            },
            "again-noise",
          ),
          strength,
          labelled("Seed", this.seed, "The same seed and choices give the same network again in this browser"),
        ),
      ),
    );
  }

  /** What is chosen; an Error with a sentence where it is not possible. */
  get spec(): Spec {
    const most = Math.min(MOST.size, this.features);
    const number = (input: HTMLInputElement, what: string, low: number, high: number, whole = true) => {
      const value = Number(input.value);
      if (input.value.trim() === "" || !(value >= low && value <= high) || (whole && !Number.isInteger(value)))
        throw new Error(`the ${what} must be ${whole ? "a whole number" : "a number"} from ${low} to ${high}`);
      return value;
    };
    return {
      ...this.begun,
      size: number(this.size, "size of a code", 1, most),
      widths: widthsOf(this.widths.value),
      activation: this.activation,
      variational: this.variational.checked,
      noise: this.noise,
      level: this.noise === "none" ? this.begun.level : number(this.level, "strength of the noise", 0, 1, false),
      rate: number(this.rate, "learning rate", 1e-5, MOST.rate, false),
      epochs: number(this.epochs, "number of epochs", 1, MOST.epochs),
      seed: number(this.seed, "seed", 0, 2 ** 31 - 1),
    };
  }
}

function labelled(text: string, input: HTMLElement, title = ""): HTMLLabelElement {
  return h("label", { class: "hg-choice", title }, h("span", {}, text), input);
}

/** What a training begins with where nobody has chosen: for so many samples. */
export function usual(shape: readonly number[], pixels: boolean, count: number): Spec {
  return {
    shape,
    pixels,
    size: 2,
    widths: [128, 64],
    activation: "norm",
    variational: false,
    noise: "none",
    level: 0.3,
    rate: 0.004,
    epochs: Math.max(20, Math.min(100, Math.round(180_000 / Math.max(1, count)))),
    batch: BATCH,
    seed: 1,
  };
}
