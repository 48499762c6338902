import { expect, test, vi } from "vitest";
import { checkCard } from "../src/card";
import { scaleFormat } from "../src/columns";
import { RunData } from "../src/data";
import { Fault, MissingFile } from "../src/fault";
import { asTheyCame, columnsOf } from "../src/kinds";
import { meanSquaredError } from "../src/maths";
import { RunFolder } from "../src/run";

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const files: Record<string, Uint8Array<ArrayBuffer>> = {
  "codes.f32": new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
  "labels.i32": new Uint8Array(new Int32Array([0, -1]).buffer),
  "colours.json": text([
    { name: "<b>plan</b>", kind: "category", words: ["free", "pro"] },
    { name: "signup", kind: "time", words: [] },
  ]),
  "colours/0.f64.gz": new Uint8Array(new Float64Array([1, NaN]).buffer),
  "names.json": text(["C-1", "C-2"]),
};

function opened(name: string, there = files) {
  const asked: string[] = [];
  const source = {
    bytes: (file: string) => {
      asked.push(file);
      return file in there ? Promise.resolve(there[file]) : Promise.reject(new MissingFile(`no ${file}`, ""));
    },
  };
  const notice = vi.fn<(error: unknown) => void>();
  const card = checkCard({
    format: 1,
    id: "a",
    dataset: { name, kind: "image", shape: [2, 2, 1], classes: ["one"] },
    codes: { count: 2, size: 2, low: [0, 0], high: [1, 1] },
  });
  return { asked, notice, data: new RunData(new RunFolder(source), card, notice) };
}

test("the columns of somebody's own dataset are colours; their values come when they are asked for", async () => {
  const { data, asked } = opened("own-0");
  await data.load();
  expect(data.columns.choices()).toEqual([
    ["column:0", "<b>plan</b>"],
    ["column:1", "signup"],
  ]);
  expect([data.columns.of("column:1")?.kind, data.columns.of("column:2"), data.columns.of("error")]).toEqual([
    "time",
    undefined,
    undefined,
  ]);
  expect(asked).not.toContain("colours/0.f64.gz");
  await new Promise<void>((arrived) => expect(data.columns.values("column:0", arrived)).toBeNull());
  expect([...data.columns.values("column:0", () => undefined)!]).toEqual([1, NaN]);
  expect(asked.filter((file) => file === "colours/0.f64.gz")).toHaveLength(1);
});

test("whoever may not read the dataset has neither columns nor names, and hears of no fault", async () => {
  const { "codes.f32": codes, "labels.i32": labels } = files;
  const { data, notice, asked } = opened("own-0", { "codes.f32": codes, "labels.i32": labels });
  await data.load();
  await data.loadOriginals();
  expect(asked).not.toContain("names.json");
  expect(data.columns.choices()).toEqual([]);
  expect(data.describe("original", 0)).toBe("original, one");
  expect(notice).not.toHaveBeenCalled();
});

test("images that ship are asked for neither", async () => {
  const { data, asked } = opened("digits");
  await data.load();
  await data.loadOriginals();
  expect(asked).not.toContain("colours.json");
  expect(asked).not.toContain("names.json");
});

test("a sample is known by its id; where there is no class it is its name", async () => {
  const { data } = opened("own-0");
  await data.load();
  await data.loadOriginals();
  expect(data.describe("original", 0)).toBe("original, C-1, one");
  expect(data.columns.nameOf(1)).toBe("C-2");
});

test("a list of columns that is no JSON is told, and the rest goes on", async () => {
  const { data, notice } = opened("own-0", { ...files, "colours.json": new TextEncoder().encode("<html>") });
  await data.load();
  expect(notice.mock.calls[0][0]).toBeInstanceOf(Fault);
  expect(data.columns.choices()).toEqual([]);
});

test.each([
  ["time", 1609459200, 1640995200, 1612137600, "2021-02-01"],
  ["time", 1609459200, 1609545600, 1609502400, "2021-01-01 12:00"],
  ["number", 1990, 2010, 2004.97, "2005"],
  ["number", 112640, 112650, 112645.53, "112645.5"],
  ["number", 0, 1, 0.123456, "0.123"],
  ["number", -3, 3, -2.5, "\u22122.5"],
  ["number", 0, 0, 0, "0"],
])("a scale of %s from %d to %d says %d as %s", (kind, low, high, value, said) =>
  expect(scaleFormat(kind, low, high)(value)).toBe(said),
);

test("originals are said as they came, and what is missing as missing", () => {
  const [column] = columnsOf(
    "table",
    [1],
    [{ name: "income", kind: "number", start: 0, width: 1, mean: 45778.676, deviation: 13142.969, values: [] }],
  );
  expect(asTheyCame(column)(Math.fround((112645.5 - 45778.676) / 13142.969))).toBe("112,645.5");
  expect(asTheyCame(column)(NaN)).toBe("missing");
  expect(meanSquaredError([1, NaN, 3], [0, 5, 5])).toBe(2.5);
});
