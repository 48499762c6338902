import { expect, test } from "vitest";
import { enlarged } from "../src/maths";

test("a reduced original is drawn back to the size of a sample, rows and columns not swapped, channels together", () => {
  const small = Float32Array.from([1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]); // 2 x 3 pixels of 2 channels
  const out = enlarged(small, [2, 3, 2], [4, 6, 2]);
  const at = (y: number, x: number) => [out[(y * 6 + x) * 2], out[(y * 6 + x) * 2 + 1]];
  expect(at(0, 0)).toEqual([1, 10]);
  expect(at(1, 5)).toEqual([3, 30]);
  expect(at(2, 1)).toEqual([4, 40]);
  expect(at(3, 4)).toEqual([6, 60]);
});
