/** What the host asks for, and what is reported to it. */

import type { RunCard } from "./card";
import type { RunData } from "./data";
import { cameraText, hiddenOf, hiddenText, type Camera } from "./maths";
import type { State, Values } from "./state";

/** What Python asks for at the start; each is optional. Numbers, texts and lists of them only. */
export interface View {
  readonly palette?: readonly string[];
  readonly code?: readonly number[] | null;
  /** The code is where the map opens, and follows the pointer from there; without it the code is held. */
  readonly free?: boolean;
  readonly plane?: string | null;
  readonly colour?: string | null;
  readonly layer?: string | null;
  readonly tool?: string | null;
  readonly hidden?: string | null;
  readonly points?: string | null;
  readonly camera?: string | null;
}

export type Report = (name: "code" | "selection" | "view", value: unknown) => void;

/** The values of a state that stand in a view; its code and camera come later. */
export function valuesOf(view: View, card: RunCard, data: RunData): Partial<Omit<Values, "code">> {
  return {
    plane: data.planeOf(view.plane ?? "").key,
    colour: view.colour ?? "class",
    layer: view.layer ?? "none",
    tool: view.tool ?? "",
    hidden: hiddenOf(view.hidden ?? "", card.dataset.classes.length),
    points: view.points !== "no",
  };
}

/** The code that a view asks for; null where it asks for none of the right size. */
export function codeOf(view: View, size: number): readonly number[] | null {
  const { code } = view;
  return code?.length === size && code.every(Number.isFinite) ? code : null;
}

/** Sends the host what it wants to know of a state: Python draws from it, and keeps it in the page's address. */
export class Reporter {
  constructor(
    private readonly run: string,
    private readonly state: State,
    private readonly card: RunCard,
    private readonly data: RunData,
    private readonly send: Report,
  ) {}

  /** A code that was released. */
  code(): void {
    this.send("code", { run: this.run, code: Array.from(this.state.now.code, (v) => Number(v.toFixed(6))) });
  }

  /** A shape that was closed or removed. */
  selection(): void {
    const { selection, plane, colour, hidden } = this.state.now;
    const labels = colour === "class" && this.data.labels ? [...hidden] : [];
    this.send(
      "selection",
      selection?.polygon
        ? { run: this.run, plane, polygon: selection.polygon, count: selection.samples.length, hidden: labels }
        : null,
    );
  }

  /** What is chosen to be shown; `camera` beside the one that shows everything. */
  view(camera: Camera, full: Camera): void {
    const { plane, colour, layer, tool, hidden, points } = this.state.now;
    this.send("view", {
      run: this.run,
      plane,
      colour,
      layer,
      tool,
      hidden: hiddenText(hidden, this.card.dataset.classes.length),
      points: points ? "" : "no",
      camera: cameraText(camera, full),
    });
  }
}
