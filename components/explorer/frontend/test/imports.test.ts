import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../src", import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name));
const sources = files.filter((name) => name.endsWith(".ts"));

/** The files that a file imports from this folder, for types too. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^(?:import|export|\} from)[^;"]*"(\.[^"?]*)"/gm)].flatMap(([, name]) => {
    const path = join(dirname(file), name);
    return [`${path}.ts`, join(path, "index.ts")].filter((one) => sources.includes(one)).slice(0, 1);
  });
}

/** A way from a file through its imports back to itself; null where there is none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of graph.get(file) ?? []) {
      const found = walk(next, [...path, file]);
      if (found) return found;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const found = walk(file, []);
    if (found) return found;
  }
  return null;
}

describe("the files of the explorer", () => {
  test("import each other without a circle, types included", () => {
    const graph = new Map(sources.map((file) => [file, importsOf(file)]));
    expect([...graph.values()].flat().length).toBeGreaterThan(sources.length); // the imports are seen at all
    expect(circle(graph)?.map((file) => relative(root, file)) ?? null).toBeNull();
  });

  test("a circle would be seen", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["d", "b"]],
      ["d", []],
    ]);
    expect(circle(graph)).toEqual(["b", "c", "b"]);
  });

  test("are short enough to be read", () => {
    const lines = files
      .filter((name) => /\.(ts|css|html)$/.test(name))
      .map((name) => [relative(root, name), readFileSync(name, "utf8").split("\n").length] as const);
    expect(lines.filter(([, count]) => count > 400)).toEqual([]);
  });

  test("each tool and each layer stands in its list", () => {
    for (const folder of ["tools", "layers"]) {
      const kind = folder === "tools" ? /extends Tool\b/ : /: Layer = \{/;
      const here = sources.filter((file) => dirname(file) === join(root, folder));
      const listed = importsOf(join(root, folder, "index.ts"));
      const missing = here.filter((file) => kind.test(readFileSync(file, "utf8")) && !listed.includes(file));
      expect(missing).toEqual([]);
      expect(listed.length).toBeGreaterThan(4);
    }
  });
});
