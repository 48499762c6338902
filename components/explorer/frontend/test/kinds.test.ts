import { describe, expect, test } from "vitest";
import {
  asSeen,
  cell,
  columnsOf,
  inView,
  inUnit,
  likeliest,
  MISSING,
  rangeOf,
  shares,
  formatter,
  type Column,
} from "../src/kinds";

const number = (mean: number, deviation: number, start = 0): Column => ({
  name: "n",
  kind: "number",
  start,
  width: 1,
  mean,
  deviation,
  values: [],
});
const fruit: Column = {
  name: "fruit",
  kind: "category",
  start: 1,
  width: 3,
  mean: 0,
  deviation: 1,
  values: ["apple", "pear", "plum"],
};

describe("units", () => {
  test("standardised values become the person's own", () => {
    expect(inUnit(number(13, 0.8), 2)).toBeCloseTo(14.6);
    expect(inUnit(number(13, 0.8), 0)).toBe(13);
  });
  test("a column on an asinh scale goes back by the hyperbolic sine, and forth", () => {
    const spent: Column = { ...number(0.5, 2), centre: 100, linear_width: 10 };
    expect(inUnit(spent, 0)).toBeCloseTo(100 + 10 * Math.sinh(0.5));
    expect(inUnit(spent, 3)).toBeCloseTo(100 + 10 * Math.sinh(6.5));
    for (const value of [-5000, 90, 100, 40_000]) expect(inUnit(spent, asSeen(spent, value))).toBeCloseTo(value, 6);
    expect(asSeen(number(13, 0.8), 14.6)).toBeCloseTo(2);
    expect(formatter(spent)(0)).toBe("105");
    const [read] = columnsOf("table", [1], [spent]);
    expect(read).toEqual(spent);
    expect(columnsOf("table", [1], [{ ...spent, linear_width: -1 }])[0].name).toBe("feature 1");
  });
  test.each([
    [13, 0.8, 1.5, "14.20"],
    [746, 314.9, 0, "746"],
    [52_341, 20_000, 1, "72,341"],
    [0, 1, -0.001, "0.0"],
    [0, 1, -2.34, "\u22122.3"],
    [0, 3e8, 1, "3.00e+8"],
    [0, 2e-6, -1, "\u22122.00e-6"],
    [5, 1, NaN, "–"],
  ])("mean %f, deviation %f, value %f is said as %s", (mean, deviation, value, said) =>
    expect(formatter(number(mean, deviation))(value)).toBe(said),
  );
});

describe("categories are read from their features together", () => {
  test("the greatest feature wins, at any place of a longer row", () => {
    expect(likeliest(fruit, [9, 0.1, 0.7, 0.2], 0)).toBe(1);
    expect(likeliest(fruit, [9, 1, 0, 0, 9, 0.1, 0.2, 0.7], 4)).toBe(2);
    expect(likeliest(fruit, [9, 0.5, 0.5, 0], 0)).toBe(0); // as numpy's argmax: the first
  });
  test("none is likely where no feature is above 0, as in Python", () => {
    expect(likeliest(fruit, [9, 0, -1, 0], 0)).toBe(-1);
    expect(cell(fruit, String, [9, 0, -1, 0])).toBe(MISSING);
  });
  test("shares are of what is above 0", () => {
    expect(shares(fruit, [9, 0.6, -0.3, 0.2], 0)).toEqual([0.75, 0, 0.25].map((v): unknown => expect.closeTo(v)));
    expect(shares(fruit, [9, -1, 0, -1], 0)).toEqual([0, 0, 0]);
  });
  test("a cell is a number in its unit or a name", () => {
    expect(cell(fruit, String, [9, 0, 0, 1])).toBe("plum");
    expect(cell(number(10, 2, 1), (v) => String(10 + 2 * v), [0, 3])).toBe("16");
  });
});

describe("columns of run.json", () => {
  const stored = [number(1, 2), fruit];
  test("whole ones are taken", () => expect(columnsOf("table", [4], stored)).toEqual(stored));
  const wrong: Record<string, unknown> = {
    none: undefined,
    "too few": [number(1, 2)],
    "a hole": [number(1, 2), { ...fruit, start: 2 }],
    "no deviation": [number(1, 0), fruit],
    "an infinite mean": [number(Infinity, 1), fruit],
    "other values": [number(1, 2), { ...fruit, values: ["apple"] }],
    "a text": "columns",
    nothing: [null, fruit],
  };
  for (const [name, value] of Object.entries(wrong))
    test(`${name}: features are numbered, in standard deviations`, () => {
      const columns = columnsOf("table", [4], value);
      expect(columns.map((c) => [c.name, c.start, c.mean, c.deviation])).toEqual(
        [1, 2, 3, 4].map((i) => [`feature ${i}`, i - 1, 0, 1]),
      );
    });
  test("a signal has one per channel, not per step", () =>
    expect(columnsOf("signal", [40, 2], null).map((c) => c.name)).toEqual(["channel 1", "channel 2"]));
});

describe("where a channel is drawn", () => {
  const samples = Float32Array.from({ length: 2 * 5 * 2 }, (_, i) => (i % 2 ? 100 + i : i)); // 2 signals, 5 steps, 2 channels
  test("between what the real samples fill, channels apart", () => {
    const [low, high] = rangeOf(samples, 5, 2, 0),
      [least, most] = rangeOf(samples, 5, 2, 1);
    expect([low, high]).toEqual([expect.closeTo(-1.44), expect.closeTo(19.44)]);
    expect([least, most]).toEqual([expect.closeTo(99.56), expect.closeTo(120.44)]);
  });
  test("three deviations where there are none, and never nothing", () => {
    expect(rangeOf(null, 5, 2, 0)).toEqual([expect.closeTo(-3.48), expect.closeTo(3.48)]);
    const [low, high] = rangeOf(new Float32Array(10), 5, 2, 0);
    expect(high - low).toBeGreaterThan(0.5);
  });
});

test("only the items in sight are drawn", () => {
  expect(inView(1000, 24, 0, 240)).toEqual([0, 10]);
  expect(inView(1000, 24, 30, 240)).toEqual([1, 12]);
  expect(inView(3, 24, 0, 240)).toEqual([0, 3]);
  expect(inView(3, 24, 1e6, 240)).toEqual([3, 3]);
});
