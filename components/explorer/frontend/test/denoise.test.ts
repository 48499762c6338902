import { describe, expect, test } from "vitest";
import { cell } from "../src/labs/figure";
import { drawsOf, median, randomFrom, reading, scribbles, spoil, type Form } from "../src/labs/spoiling";

const IMAGE: Form = { image: true, shape: [40, 50, 3] };
const grey = (form: Form, value = 0.5) => new Float32Array(form.shape.reduce((a, b) => a * b, 1)).fill(value);
const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;

describe("noise on a sample", () => {
  test("Gaussian noise has the level as its deviation, and images stay between black and white", () => {
    const form: Form = { image: false, shape: [2000, 1] };
    const values = grey(form, 0);
    spoil(values, form, "gaussian", 0.5, drawsOf(form, 3));
    expect(mean(values)).toBeCloseTo(0, 1);
    expect(Math.sqrt(mean(values.map((v) => v * v)))).toBeGreaterThan(0.47);
    expect(Math.sqrt(mean(values.map((v) => v * v)))).toBeLessThan(0.53);
    const pixels = grey(IMAGE);
    spoil(pixels, IMAGE, "gaussian", 1, drawsOf(IMAGE, 3));
    expect(Math.min(...pixels)).toBe(0);
    expect(Math.max(...pixels)).toBe(1);
  });

  test("salt and pepper hits the share of whole pixels that the level says, half of them white", () => {
    const pixels = grey(IMAGE);
    spoil(pixels, IMAGE, "salt-and-pepper", 0.3, drawsOf(IMAGE, 4));
    const colours = Array.from({ length: 2000 }, (_, p) => [...pixels.subarray(3 * p, 3 * p + 3)]);
    const hit = colours.filter(([red]) => red !== 0.5);
    expect(hit.every((one) => one[0] === one[1] && one[1] === one[2])).toBe(true);
    expect(hit.length / 2000).toBeGreaterThan(0.26);
    expect(hit.length / 2000).toBeLessThan(0.34);
    expect(hit.filter(([red]) => red === 1).length / hit.length).toBeGreaterThan(0.43);
    expect(hit.filter(([red]) => red === 1).length / hit.length).toBeLessThan(0.57);
  });

  test("of a signal its own least and greatest values are salt and pepper; masking makes zeros", () => {
    const form: Form = { image: false, shape: [100, 1] };
    const signal = Float32Array.from({ length: 100 }, (_, i) => -2 + 0.05 * i);
    const salted = signal.slice();
    spoil(salted, form, "salt-and-pepper", 1, drawsOf(form, 5));
    expect([...new Set(salted)].sort((a, b) => a - b)).toEqual([signal[0], signal[99]]);
    const masked = signal.slice();
    spoil(masked, form, "masking", 1, drawsOf(form, 5));
    expect(masked.every((value) => value === 0)).toBe(true);
  });

  test("the same seed draws the same, a higher level hits what a lower one hit and more", () => {
    const [low, high] = [grey(IMAGE), grey(IMAGE)];
    spoil(low, IMAGE, "masking", 0.2, drawsOf(IMAGE, 6));
    spoil(high, IMAGE, "masking", 0.4, drawsOf(IMAGE, 6));
    expect(low.every((value, i) => value !== 0 || high[i] === 0)).toBe(true);
    expect(drawsOf(IMAGE, 6).even[7]).not.toBe(drawsOf(IMAGE, 7).even[7]);
  });

  test("scribbles are smooth lines inside the picture", () => {
    const lines = scribbles(5, randomFrom(1));
    expect(lines).toHaveLength(5);
    for (const [x, y] of lines.flat()) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.max(x, y)).toBeLessThanOrEqual(1);
    }
  });
});

test("a median filter takes a lone dot away and keeps an edge", () => {
  const image = Float32Array.from([0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
  const out = median(image, [4, 4, 1], new Float32Array(16));
  expect([...out]).toEqual([0, 0.5, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
});

test("a reading is the likeliest class and how sure the classifier is of it", () => {
  const { label, sure } = reading([0, Math.log(3), 0]);
  expect(label).toBe(1);
  expect(sure).toBeCloseTo(0.6, 6);
  expect(reading([1000, 0]).sure).toBe(1);
});

test("a cell of a CSV keeps commas and quotation marks", () => {
  expect(cell('3,5 "mm"')).toBe('"3,5 ""mm"""');
});
