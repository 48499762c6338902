/** The explorer's style sheet. Later rules outweigh earlier ones, so that the order counts. */

import base from "./base.css?inline";
import guide from "./guide.css?inline";
import map from "./map.css?inline";
import narrow from "./narrow.css?inline";
import sample from "./sample.css?inline";
import tools from "./tools.css?inline";

const common = [base, map, sample, tools, guide, narrow].join("");

/** Puts a style sheet where it reaches `element`: into its shadow root, else into the page. Once for each of them. */
export function addStyles(element: Node, css = common, id = "hourglass-style"): void {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector(`#${id}`)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = css;
  place.append(style);
}
