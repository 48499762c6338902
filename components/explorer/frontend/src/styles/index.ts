/** The explorer's style sheet. Later rules outweigh earlier ones, so that the order counts. */

import base from "./base.css?inline";
import compare from "./compare.css?inline";
import guide from "./guide.css?inline";
import map from "./map.css?inline";
import narrow from "./narrow.css?inline";
import sample from "./sample.css?inline";
import tools from "./tools.css?inline";

const css = [base, map, sample, tools, guide, narrow, compare].join("");
const ID = "hourglass-style";

/** Puts the style sheet where it reaches `element`: into its shadow root, else into the page. Once for each of them. */
export function addStyles(element: Node): void {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector(`#${ID}`)) return;
  const style = document.createElement("style");
  style.id = ID;
  style.textContent = css;
  place.append(style);
}
