import { expect, test } from "vitest";
import { blended } from "../src/network/drawn";

const places = Float32Array.from([0, 0, 1, 0, 0, 1, 1, 1, 3, 3, -3, -3, 5, 5, -9, 4, 8, -7, 20, 20]);
const ask = blended({
  count: 10,
  low: -1,
  high: 1,
  places,
  values: Uint8Array.from([0, 255, 255, 0, 0, 255, 255, 0, 255, 0]),
});
const at = async (...code: number[]) => (await ask(Float32Array.from(code), code.length / 2))[0];

test("at a place that was drawn, that sample; several codes at once", async () => {
  expect(await at(0, 0)).toBeCloseTo(-1, 5);
  expect(await at(1, 0)).toBeCloseTo(1, 5);
  expect([...(await ask(Float32Array.from([0, 0, 1, 0]), 2))].map((v) => Math.round(v))).toEqual([-1, 1]);
});

test("in the middle of four, their mean; and no jump where others become the nearest", async () => {
  const middle = await at(0.5, 0.5);
  expect(middle).toBeGreaterThan(-0.1);
  expect(middle).toBeLessThan(0.1);
  for (let x = -2; x < 4; x += 0.01)
    expect(Math.abs((await at(x, 0.3)) - (await at(x + 0.01, 0.3)))).toBeLessThan(0.08);
});
