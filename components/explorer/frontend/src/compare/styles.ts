/** The style sheet of several runs side by side, beside that of an explorer. */

import { addStyles } from "../styles";
import css from "./compare.css?inline";

export function addCompareStyles(element: Node): void {
  addStyles(element);
  addStyles(element, css, "hourglass-compare-style");
}
