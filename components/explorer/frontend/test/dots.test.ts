import { expect, test } from "vitest";
import { nearest } from "../src/labs/dots";

test("the nearest others of each place come first, without itself", () => {
  const places = [
    [0, 0],
    [0.1, 0],
    [0.3, 0],
    [1, 1],
  ] as const;
  expect(nearest(places, 2)).toEqual([
    [1, 2],
    [0, 2],
    [1, 0],
    [2, 1],
  ]);
});

test("of equally near ones those that come first are taken", () => {
  const same = [
    [0.5, 0.5],
    [0.5, 0.5],
    [0.5, 0.5],
  ] as const;
  expect(nearest(same, 1)).toEqual([[1], [0], [0]]);
});
