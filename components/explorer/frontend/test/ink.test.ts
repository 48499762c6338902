import { expect, test } from "vitest";
import { inkOf } from "../src/maths";

/** A picture of 6 x 4 pixels, black but for some. */
function picture(...drawn: [x: number, y: number, light: number][]) {
  const data = new Uint8ClampedArray(4 * 24);
  for (const [x, y, light] of drawn) data.set([0, light, 0, 255], 4 * (6 * y + x));
  return { data, width: 6, height: 4 };
}

test("the box around what is drawn and its centre of mass", () => {
  expect(inkOf(picture())).toBeNull();
  expect(inkOf(picture([1, 1, 20]))).toBeNull(); // the faint edge of nothing
  expect(inkOf(picture([4, 2, 255]))).toEqual({ left: 4, right: 5, top: 2, bottom: 3, mass: [4.5, 2.5] });
  const two = inkOf(picture([0, 0, 100], [4, 2, 200]))!;
  expect([two.left, two.right, two.top, two.bottom]).toEqual([0, 5, 0, 3]);
  expect(two.mass[0]).toBeCloseTo((0.5 * 100 + 4.5 * 200) / 300, 6);
  expect(two.mass[1]).toBeCloseTo((0.5 * 100 + 2.5 * 200) / 300, 6);
});
