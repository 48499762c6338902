import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));
const sheets = ["styles", "compare", "upload"].flatMap((folder) =>
  readdirSync(join(src, folder))
    .filter((name) => name.endsWith(".css"))
    .map((name) => [`${folder}/${name}`, readFileSync(join(src, folder, name), "utf8")] as const),
);
/** The selectors of a sheet, without comments, declarations and conditions. */
const selectors = (css: string): string[] =>
  [...css.replace(/\/\*.*?\*\//gs, "").matchAll(/([^{};]+)\{/g)]
    .map(([, text]) => text.trim())
    .filter((text) => !text.startsWith("@"))
    .flatMap((text) => text.split(/,(?![^(]*\))/))
    .map((text) => text.trim());

describe.each(sheets)("%s", (name, css) => {
  test("has a default beside each variable of Streamlit's", () => {
    const bare = [...css.matchAll(/var\(\s*(--st-[\w-]+)\s*\)/g)].map(([, variable]) => variable);
    expect(bare).toEqual([]);
  });

  test("needs nothing around the explorer, so that it works in a shadow root", () => {
    const all = selectors(css);
    expect(all.length).toBeGreaterThan(3);
    const outside = all.filter((selector) => /(^|[\s>+~(])(html|body|:root|:host)\b|\.st|stApp/.test(selector));
    expect(outside).toEqual([]);
    // Each rule begins at the explorer itself or at a part of it; the control that sends a file has a root of its own.
    if (name.startsWith("styles/")) expect(all.filter((selector) => !selector.startsWith(".hg"))).toEqual([]);
  });
});

test("the explorer uses Streamlit's variables where there are any", () =>
  expect(sheets.map(([, css]) => css).join("")).toContain("var(--st-background-color, "));
