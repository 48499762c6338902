/** The explorer's style sheet. Later rules outweigh earlier ones, so that the order counts. */

import base from "./base.css?inline";
import guide from "./guide.css?inline";
import map from "./map.css?inline";
import narrow from "./narrow.css?inline";
import sample from "./sample.css?inline";
import tools from "./tools.css?inline";

export const css = [base, map, sample, tools, guide, narrow].join("");

/** Puts a style sheet where it reaches `element`: into its shadow root, else into the page. Once for each of them. */
export function addStyles(element: Node, rules = css, id = "hourglass-style"): void {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector(`#${id}`)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = rules;
  place.append(style);
}
