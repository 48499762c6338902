import { expect, test } from "vitest";
import { aroundMean, Density } from "../src/density";
import { effect } from "../src/labs/generate-answer";
import { bit, Draws, Stored } from "../src/labs/generate-draws";
import { randomFrom } from "../src/labs/spoiling";

/** A safetensors file of float32. */
function file(arrays: Record<string, number[]>): Uint8Array {
  let end = 0;
  const table = Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => {
      const begin = end;
      end += 4 * values.length;
      return [name, { dtype: "F32", shape: [values.length], data_offsets: [begin, end] }];
    }),
  );
  const text = new TextEncoder().encode(JSON.stringify(table));
  const out = new Uint8Array(8 + text.length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  out.set(new Uint8Array(Float32Array.from(Object.values(arrays).flat()).buffer), 8 + text.length);
  return out;
}

/** Two components of two numbers: a quarter of class 0 around (12, 0), the rest of class 1 around (10, 8). */
const parts = {
  weights: [0.25, 0.75],
  mean: [10, 0],
  unit: [2, 4],
  means: [1, 0, 0, 2],
  factors: [1, 0.5, 2, 1, 0, 0.1],
  shares: [1, 0, 0, 1],
};

test("a code is the mean of its component and the noise times its factor, in units of the codes", () => {
  const density = Density.read(file(parts));
  const code = new Float32Array(2);
  density.write(code, 0, [1, -1], 1);
  expect([...code]).toEqual([12 + 2, 0 + 4 * (0.5 - 2)]);
  density.write(code, 1, [1, 5], 0);
  expect([...code]).toEqual([10, 8]);
});

test("components are as likely as their weights, of the classes that count", () => {
  const density = Density.read(file(parts));
  expect([0, 0.24, 0.26, 0.99].map((at) => density.component(at))).toEqual([0, 0, 1, 1]);
  expect([0, 0.99].map((at) => density.component(at, (label) => (label === 0 ? 1 : 0)))).toEqual([0, 0]);
  expect(density.component(0.1, () => 0)).toBe(0); // no class counts: as if all did
  expect(density.classed).toBe(true);
});

test("drawn codes have the mean and the spread of the mixture", () => {
  const density = Density.read(file(parts));
  const random = randomFrom(3);
  const codes = Array.from({ length: 4000 }, () => density.draw(random));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(codes.map(([x]) => x))).toBeCloseTo(10.5, 0);
  expect(mean(codes.map(([, y]) => y))).toBeCloseTo(6, 0);
  const first = codes.map(([x]) => x);
  expect(mean(first.map((x) => (x - 10.5) ** 2))).toBeCloseTo(4 + 0.25 * 0.75 * 4, 0);
});

test("a file of parts that do not fit is refused", () => {
  expect(() => Density.read(file({ ...parts, means: [1, 2, 3] }))).toThrow("do not fit");
  expect(() => Density.read(file({ weights: [1], mean: [0], unit: [1] }))).toThrow("lacks");
});

test("the same seed gives the same sheet, and a kernel density begins with codes of the class", () => {
  const answer = {
    densities: new Map([["classes", Density.read(file(parts))]]),
    kernel: [
      [0.5, 0],
      [0, 0.5],
    ],
    directions: [[100, 0]],
  } as never;
  const settings = { way: "classes", label: -1, temperature: 1, attribute: -1, step: 1 };
  const code = (draws: Draws, change: object, stored: Stored | null = null) => {
    const out = new Float32Array(2);
    draws.write(out, 5, answer, { ...settings, ...change }, stored);
    return [...out];
  };
  const draws = new Draws(4, 8, 2);
  expect(code(draws, {})).toEqual(code(new Draws(4, 8, 2), {}));
  expect(code(draws, {})).not.toEqual(code(new Draws(5, 8, 2), {}));
  expect(code(draws, { attribute: 0, step: 2 })[0] - code(draws, {})[0]).toBeCloseTo(200, 2);
  expect(code(draws, { way: "prior", temperature: 0 }).map(Math.abs)).toEqual([0, 0]);
  const stored = new Stored(Float32Array.of(1, 1, 2, 2, 3, 3), Int32Array.of(0, 1, 1), (i) => i < 2, 3);
  expect(code(draws, { way: "kernel", temperature: 0, label: 1 }, stored)).toEqual([2, 2]);
  expect(stored.of(-1)).toEqual([0, 1]);
});

test("bits lie as numpy packs them", () => {
  expect(Array.from({ length: 9 }, (_, i) => bit(Uint8Array.of(0b10100000, 0b10000000), i))).toEqual(
    [1, 0, 1, 0, 0, 0, 0, 0, 1].map(Boolean),
  );
});

test("what a step does is said between what was measured", () => {
  const factor = { name: "tilt", class: false, asked: [-1, 0, 1], reached: [-0.8, 0, 0.6], others: [0.2, 0, 0.4] };
  expect(effect(factor, 0.5)).toBe(
    "Asked for +0.5, measured +0.3 standard deviations of tilt. Another one moves by up to 0.20.",
  );
  const seven = { name: "7", class: true, asked: [0, 1, 2], reached: [0.1, 0.5, 0.9], others: null };
  expect(effect(seven, 1.5)).toContain("70 % of test samples are read as 7; 10 % without it");
});

test("without a density, codes are drawn around their mean, as wide as they vary along each axis", () => {
  const codes = { mean: [3, -1], variance: [4, 0.25] };
  const random = randomFrom(7);
  const drawn = Array.from({ length: 4000 }, () => aroundMean(codes, random));
  for (const [d, [middle, wide]] of [
    [3, 2],
    [-1, 0.5],
  ].entries()) {
    const values = drawn.map((code) => code[d]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - middle)).toBeLessThan(0.1 * wide);
    expect(Math.abs(Math.sqrt(variance) / wide - 1)).toBeLessThan(0.05);
  }
});
