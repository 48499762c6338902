/** What is shown, as short text for a page's address, and back. */

import type { Camera } from "./camera";

/** A camera beside the one that shows everything, as text: its middle, and how many times larger it shows things. */
export function cameraText(c: Camera, home: Camera): string {
  const zoom = Math.sqrt((c.sx * c.sy) / (home.sx * home.sy));
  const [x, y] = [Math.abs(c.cx - home.cx) * c.sx, Math.abs(c.cy - home.cy) * c.sy];
  if (Math.abs(zoom - 1) < 0.005 && x < 1 && y < 1) return "";
  return [c.cx, c.cy, zoom].map((v) => Number(v.toPrecision(5))).join(",");
}

/** The camera that `cameraText` has put into words, in a window of any size; null where it is none. */
export function cameraOf(text: string, home: Camera): Camera | null {
  const [cx, cy, zoom, ...more] = text.split(",").map(Number);
  if (more.length || ![cx, cy, zoom].every(Number.isFinite) || !(zoom > 0)) return null;
  return { ...home, cx, cy, sx: home.sx * zoom, sy: home.sy * zoom };
}

/** Which of so many classes are hidden (-1: without a label), as text: "0,2", or "!3" where only a few are seen. */
export function hiddenText(hidden: ReadonlySet<number>, classes: number): string {
  const all = [...Array(classes).keys(), -1];
  const seen = all.filter((c) => !hidden.has(c));
  return hidden.size <= seen.length ? [...hidden].sort((a, b) => a - b).join(",") : `!${seen.join(",")}`;
}

/** What `hiddenText` has put into words; classes that do not exist are left out. */
export function hiddenOf(text: string, classes: number): Set<number> {
  const all = [...Array(classes).keys(), -1];
  const named = new Set(text.replace("!", "").split(",").filter(Boolean).map(Number));
  return new Set(text.startsWith("!") ? all.filter((c) => !named.has(c)) : all.filter((c) => named.has(c)));
}
