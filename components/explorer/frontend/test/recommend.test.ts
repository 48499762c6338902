import { describe, expect, test } from "vitest";
import { halves, readStars, Taste, written } from "../src/labs/recommend-taste";

/** Two bytes, little end first, of each number, in base64. */
const packed = (...bits: number[]): string => btoa(bits.map((b) => String.fromCharCode(b & 255, b >> 8)).join(""));
const [ZERO, HALF, ONE, MINUS] = [0x0000, 0x3800, 0x3c00, 0xbc00];

/** Three things; the network says of the second what the residual of the first is, and of the third the opposite. */
const taste = new Taste({
  facts: {
    things: [{ name: "a" }, { name: "b" }, { name: "c" }],
    classes: ["left", "right"],
    low: 0,
    high: 8,
    deviation: 2,
    damping: 1,
  },
  usual: [4, 4, 4],
  counts: [3, 2, 1],
  places: [
    [0, 0],
    [1, 0],
    [0, 1],
  ],
  people: [
    [-1, 0],
    [-2, 0],
    [3, 0],
  ],
  labels: [0, 0, 1],
  first: [0],
  shapes: [
    ["net.0.weight", [3, 6]],
    ["net.0.bias", [3]],
    ["encoder.0.weight", [2, 6]],
    ["encoder.0.bias", [2]],
    ["decoder.0.weight", [3, 2]],
    ["decoder.0.bias", [3]],
  ],
  weights: packed(
    ...[ZERO, ZERO, ZERO, ZERO, ZERO, ZERO],
    ...[ONE, ZERO, ZERO, ZERO, ZERO, ZERO],
    ...[MINUS, ZERO, ZERO, ZERO, ZERO, ZERO],
    ...[ZERO, ZERO, ZERO],
    ...[ONE, ZERO, ZERO, ZERO, ZERO, ZERO],
    ...[ZERO, ZERO, ZERO, ONE, ZERO, ZERO],
    ...[ZERO, HALF],
    ...[ZERO, ZERO, ONE, ZERO, ZERO, ONE],
    ...[ZERO, ZERO, ZERO],
  ),
});

describe("stars become a place and guesses", () => {
  test("nothing known: the middle, and what each thing usually gets", () => {
    expect(taste.place(new Map())).toEqual([0, 0.5]);
    expect(taste.foretell(new Map())).toEqual([3, 3, 3]); // 4 of 0 to 8 is 3 of 5 stars
  });

  test("five stars for the first: residual 2, a mean of 1 (damped by a zero), so 1 is left of it", () => {
    const stars = new Map([[0, 5]]);
    expect(taste.place(stars)).toEqual([1, 1.5]);
    // mean 1 and guesses 0, 1 and -1 times the deviation of 2 above 4: ratings 6, 8 and 4
    expect(taste.foretell(stars)).toEqual([4, 5, 3]);
    expect(taste.best(taste.foretell(stars), stars, 5).map(({ thing }) => thing)).toEqual([1, 2]);
    expect(taste.why(stars, [1]).get(1)).toEqual([{ thing: 0, by: 2 }]);
    expect(taste.why(stars, [2]).get(2)).toEqual([{ thing: 0, by: 0 }]);
  });

  test("somebody elsewhere on the map, and who is nearest", () => {
    expect(taste.at([1, -0.5])).toEqual([3, 4, 2.5]);
    expect(taste.among([0, 0], 2)).toEqual({ label: "left", share: 2, of: 2 });
  });
});

test("numbers of 16 bits are those that numpy wrote", () => {
  expect([...halves(packed(0x3555, 0xc000, 0x0001, 0x7bff))]).toEqual([0.333251953125, -2, 2 ** -24, 65504]);
});

test("a link keeps the stars, and one that was cut or altered keeps what is understood", () => {
  const stars = new Map([
    [0, 5],
    [59, 1],
    [999, 3],
  ]);
  expect(readStars(written(stars), 1000)).toEqual(stars);
  expect(readStars(written(stars), 60)).toEqual(new Map([...stars].slice(0, 2)));
  expect(readStars("005zz", 60)).toEqual(new Map([[0, 5]]));
  expect(readStars("<script>", 60)).toEqual(new Map());
});
