/** The colours of the page that an explorer stands in, read from its style. */

import type { Ink } from "./canvas";
import { cssColour, luminance, parse, type Rgb } from "./colours";

export interface Theme {
  readonly dark: boolean;
  readonly paper: string;
  readonly ground: Rgb;
  /** Points without a class. */
  readonly grey: Rgb;
  /** The map's axes. */
  readonly map: Pick<Ink, "text" | "line" | "paper">;
  readonly ink: Ink;
  readonly histogram: string;
}

export function themeOf(root: Element): Theme {
  const style = getComputedStyle(root);
  const paper = parse(style.backgroundColor) ?? [255, 255, 255];
  const dark = luminance(paper) < 0.2;
  const faint = dark ? "#b4b9c4" : "#5d6470";
  return {
    dark,
    paper: cssColour(paper),
    ground: paper,
    grey: dark ? [150, 155, 165] : [125, 130, 140],
    map: { text: faint, line: dark ? "rgba(255,255,255,0.06)" : "rgba(0,0,0,0.055)", paper: cssColour(paper) },
    ink: {
      text: style.color,
      faint,
      line: dark ? "rgba(255,255,255,0.14)" : "rgba(0,0,0,0.12)",
      accent: style.getPropertyValue("--accent").trim() || "#2563eb",
      paper: cssColour(paper),
    },
    histogram: dark ? "#59606e" : "#c3c9d4",
  };
}
