/**
 * What Streamlit's own page lacks, in every page: a script of its own, loaded before Streamlit's.
 *
 * Streamlit adds an entry to the browser's history for each page and one more each time a page changes its address, so
 * that Back seems dead every other time; its API cannot replace an entry. On a phone its menu stays open over the page
 * that was just chosen in it. It lays a page out anew when it hears of the page's own style.
 */

import css from "./streamlit-page.css?inline";

const style = document.createElement("style");
style.textContent = css;
document.head.append(style);

const push = history.pushState.bind(history);
/** The path of the page that is shown. */
let here = location.pathname;

/** Says for which page this one is being left. Whatever a component reports meanwhile would take Streamlit back here. */
function leaveFor(path: string): void {
  const root = document.documentElement;
  here = root.dataset["leavingFor"] = path;
  setTimeout(() => root.dataset["leavingFor"] === path && delete root.dataset["leavingFor"], 10_000);
}

let journeys = 0;

/** Says that something else is about to be shown, on this page perhaps, until the server has drawn it. */
function setOut(): void {
  const { dataset } = document.documentElement;
  const journey = (dataset["journey"] = String(++journeys));
  const app = document.querySelector<HTMLElement>("[data-testid='stApp']");
  let asked = false;
  const watcher = new MutationObserver(() => {
    if (app?.dataset["testScriptState"] !== "notRunning") asked = true;
    else if (asked) arrive();
  });
  const arrive = () => {
    watcher.disconnect();
    if (dataset["journey"] === journey) delete dataset["journey"];
  };
  if (app) watcher.observe(app, { attributeFilter: ["data-test-script-state"] });
  setTimeout(arrive, 10_000);
}

/** In place of a path, as long as only the server knows which page a button leads to. */
const SOMEWHERE = "?";

/** Whether the person went back or forward, and has touched nothing since. */
let travelled = false;

addEventListener(
  "popstate",
  () => {
    travelled = true;
    if (location.pathname === here) return;
    setOut();
    leaveFor(location.pathname);
  },
  true,
);
for (const touch of ["click", "keydown"]) addEventListener(touch, () => (travelled = false), true);

/** Whether something to try was pressed, and the address has not changed since: Back leads to what was there before. */
let trying = false;

history.pushState = (data: unknown, unused: string, url?: string | URL | null): void => {
  const next = new URL(url ?? location.href, location.href);
  if (document.documentElement.dataset["leavingFor"] === SOMEWHERE && next.pathname !== location.pathname)
    leaveFor(next.pathname);
  // The same page with another query is the same place: Back leads to the page before.
  if (next.pathname === location.pathname && !(trying && next.search !== location.search))
    history.replaceState(data, unused, url);
  // Who goes back twice in a hurry is told late of the page between. Pushing that would cut off the way forward.
  else if (!travelled) {
    here = next.pathname;
    trying = false;
    push(data, unused, url);
  }
};

const links = "a[data-testid*='NavLink'], a[data-testid='stTopNavDropdownLink']";
document.addEventListener("click", (event) => {
  const leads = event.target instanceof Element && event.target.closest("[class*='st-key-leave-for-'] button");
  if (leads) {
    const path = here;
    leaveFor(SOMEWHERE);
    here = path;
  }
  trying = event.target instanceof Element && event.target.closest("[class*='st-key-try-'] button") !== null;
  if (trying) setOut();
  const chosen = event.target instanceof Element && event.target.closest<HTMLAnchorElement>(links);
  if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey) return; // those open another window
  if (chosen.pathname !== here) leaveFor(chosen.pathname);
  if (!chosen.matches("[data-testid='stSidebarNavLink']") || !window.matchMedia("(max-width: 767px)").matches) return;
  // After Streamlit has answered the click, since closing the menu takes the link away.
  setTimeout(() => document.querySelector<HTMLElement>("[data-testid='stSidebarCollapseButton'] button")?.click());
});
