/**
 * What Streamlit's own page lacks, in every page: a script of its own, loaded before Streamlit's.
 *
 * Streamlit adds an entry to the browser's history for each page and one more each time a page changes its address, so
 * that Back seems dead every other time; its API cannot replace an entry. On a phone its menu stays open over the page
 * that was just chosen in it. It lays a page out anew when it hears of the page's own style.
 */

import css from "./page.css?inline";

const style = document.createElement("style");
style.textContent = css;
document.head.append(style);

const push = history.pushState.bind(history);
/** Whether the person went back or forward, and has touched nothing since. */
let travelled = false;

addEventListener("popstate", () => (travelled = true), true);
for (const touch of ["click", "keydown"]) addEventListener(touch, () => (travelled = false), true);

history.pushState = (data: unknown, unused: string, url?: string | URL | null): void => {
  const next = new URL(url ?? location.href, location.href);
  // The same page with another query is the same place: Back leads to the page before.
  if (next.pathname === location.pathname) history.replaceState(data, unused, url);
  // Who goes back twice in a hurry is told late of the page between. Pushing that would cut off the way forward.
  else if (!travelled) push(data, unused, url);
};

document.addEventListener("click", (event) => {
  const chosen = event.target instanceof Element && event.target.closest("[data-testid='stSidebarNavLink']");
  if (!chosen || !window.matchMedia("(max-width: 767px)").matches) return;
  // After Streamlit has answered the click, since closing the menu takes the link away.
  setTimeout(() => document.querySelector<HTMLElement>("[data-testid='stSidebarCollapseButton'] button")?.click());
});
