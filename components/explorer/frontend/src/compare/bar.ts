/** What is chosen for all maps at once. */

import { choice, h } from "../dom";
import type { Scene } from "../scene";

/** The tools that make sense on several maps. */
const TOOLS = ["explore", "lasso"];

type Choices = readonly (readonly [key: string, title: string])[];

export interface BarActions {
  align(on: boolean): void;
  together(on: boolean): void;
}

export class Bar {
  readonly element = h("div", { class: "hg-head" });
  private readonly ends: (() => void)[] = [];

  constructor(
    private readonly scenes: readonly Scene[],
    private readonly chosen: { aligned: boolean; together: boolean },
    /** Stands between tools and choices. */
    private readonly middle: HTMLElement,
    private readonly actions: BarActions,
  ) {
    const { state } = scenes[0];
    this.ends.push(state.subscribe(["tool", "colour", "layer", "points"], () => this.draw()));
    this.draw();
  }

  /** What can be chosen has changed, or is chosen elsewhere. */
  draw(): void {
    const [scene] = this.scenes;
    const { state } = scene;
    const focused = (this.element.getRootNode() as Document | ShadowRoot).activeElement as HTMLElement | null;
    const testid = focused && this.element.contains(focused) ? focused.dataset["testid"] : undefined;
    const tools = scene.tools
      .filter((tool) => TOOLS.includes(tool.id))
      .map((tool) =>
        h(
          "button",
          {
            type: "button",
            title: tool.help,
            data: { testid: `compare-${tool.id}` },
            aria: { pressed: String(tool.id === state.now.tool) },
            on: { click: () => state.set("tool", tool.id) },
          },
          tool.title,
        ),
      );
    const looks = h(
      "div",
      { class: "hg-choices" },
      ...(this.chosen.together
        ? [
            choice(
              "Colour",
              this.all(({ colouring }) => colouring.choices()),
              state.now.colour,
              (key) => state.set("colour", key),
              "compare-colour",
            ),
            choice(
              "Layer",
              this.all(({ background }) => background.choices()),
              state.now.layer,
              (key) => state.set("layer", key),
              "compare-layer",
            ),
            check("Points", "compare-points", state.now.points, (on) => state.set("points", on)),
          ]
        : []),
      check("Aligned", "compare-aligned", this.chosen.aligned, (on) => {
        this.chosen.aligned = on;
        this.actions.align(on);
      }),
      check("Same on all maps", "compare-together", this.chosen.together, (on) => {
        this.chosen.together = on;
        this.actions.together(on);
        this.draw();
      }),
    );
    this.element.replaceChildren(
      h("div", { class: "hg-tools", role: "toolbar", aria: { label: "Tools" } }, ...tools),
      this.middle,
      looks,
    );
    if (testid) this.element.querySelector<HTMLElement>(`[data-testid="${testid}"]`)?.focus();
  }

  /** What all of them can show. */
  private all(choicesOf: (scene: Scene) => Choices): Choices {
    const [first, ...others] = this.scenes.map(choicesOf);
    return first.filter(([key]) => others.every((choices) => choices.some(([other]) => other === key)));
  }

  end(): void {
    this.ends.forEach((end) => end());
  }
}

function check(title: string, testid: string, checked: boolean, change: (on: boolean) => void): HTMLElement {
  const box = h("input", { type: "checkbox", checked, data: { testid }, on: { change: () => change(box.checked) } });
  return h("label", { class: "hg-check" }, box, title);
}
