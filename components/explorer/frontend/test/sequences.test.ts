import { describe, expect, test } from "vitest";
import { fanOf, Forecaster, nearest, type Form } from "../src/labs/forecaster";
import { lettersOf, plainOf, valuesOf } from "../src/labs/sequences-answer";
import { judged, marksOf, quietAt } from "../src/labs/sequences-series";
import { randomFrom } from "../src/labs/spoiling";

const FORM: Form = { steps: 7, channels: 1, given: 4, size: 2 }; // two tokens are given, two are written, of the last a half
const UNITS = 4;

function weightsOf(value: () => number): Map<string, Float32Array> {
  const sizes: Record<string, number> = { "out.weight": 2 * 2 * UNITS, "out.bias": 2 };
  for (const [name, end] of [
    ["reader", "_l0"],
    ["writer", ""],
  ]) {
    sizes[`${name}.weight_ih${end}`] = 3 * UNITS * 3;
    sizes[`${name}.weight_hh${end}`] = 3 * UNITS * UNITS;
    sizes[`${name}.bias_ih${end}`] = sizes[`${name}.bias_hh${end}`] = 3 * UNITS;
  }
  return new Map(
    Object.entries(sizes).map(([name, count]) => [`0.${name}`, Float32Array.from({ length: count }, value)] as const),
  );
}

const held = (size: number) => ({
  given: Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 9, 9, 9, 9),
  errors: Float32Array.from({ length: 12 }, (_, i) => size * (1 + (i >> 2))),
  draws: 2,
  factor: 1,
});

describe("what may come next", () => {
  test("a network of zeros says its bias, and each draw misses as the most similar held-out rows were missed", async () => {
    const weights = weightsOf(() => 0);
    weights.set("0.out.bias", Float32Array.of(0.5, -0.5));
    const forecaster = await Forecaster.of(FORM, 1, weights, { ...held(0.1), factor: 2 });
    const { mean, draws } = forecaster.run(Float32Array.of(1, 1, 1, 0.8));
    expect([...mean]).toEqual([0.5, -0.5, 0.5]);
    expect(draws[0][0]).toBeCloseTo(0.5 + 2 * 0.2, 5);
    expect(draws[1][2]).toBeCloseTo(0.5 + 2 * 0.1, 5);
  });

  test("an error is gone on from, and WebAssembly computes what JavaScript does", async () => {
    const random = randomFrom(3);
    const weights = weightsOf(() => 2 * random() - 1);
    const given = Float32Array.of(0.3, -0.2, 0.9, 0.1);
    const both = await Promise.all(
      [true, false].map(async (simd) => {
        const forecaster = await Forecaster.of(FORM, 1, weights, held(0.5), simd);
        const { mean, draws } = forecaster.run(given);
        return [...mean, ...draws[0], ...draws[1]];
      }),
    );
    both[0].forEach((value, i) => expect(value).toBeCloseTo(both[1][i], 4));
    // The first token misses by 0.5 alone; the second by its own and by what came of the first.
    expect(both[1][3] - both[1][0]).toBeCloseTo(0.5, 4);
    expect(Math.abs(both[1][5] - both[1][2] - 0.5)).toBeGreaterThan(0.005);
  });

  test("the fan's edges are numpy's quantiles", () => {
    const draws = [3, 1, 2, 10].map((value) => Float32Array.of(value));
    const [low, high] = [new Float32Array(1), new Float32Array(1)];
    fanOf(draws, 0.8, low, high);
    expect(low[0]).toBeCloseTo(1.3, 5);
    expect(high[0]).toBeCloseTo(7.9, 5);
  });

  test("plain methods: the rows that are near, and the kernel's weights of all", () => {
    const form: Form = { steps: 2, channels: 1, given: 1, size: 1 };
    const tensors = new Map([
      ["train", Float32Array.of(0, 1, 3)],
      ["rest", Float32Array.of(5, 7, 100)],
      ["dual", Float32Array.of(1, 2, 0)],
      ["ridge.weight", Float32Array.of(2)],
      ["ridge.bias", Float32Array.of(1)],
    ]);
    const plain = plainOf(form, { kernel: { gamma: 0.5 }, neighbours: { n_neighbors: 2 } }, tensors);
    const said = (name: string) => plain.get(name)?.(Float32Array.of(0.4))[0] ?? NaN;
    expect(said("neighbours")).toBe(6);
    expect(said("ridge")).toBeCloseTo(1.8, 6);
    expect(said("kernel")).toBeCloseTo(Math.exp(-0.08) + 2 * Math.exp(-0.18), 6);
    expect(nearest(Float32Array.of(0, 1, 3), Float32Array.of(2.5), 2)).toEqual([2, 1]);
  });
});

describe("what was drawn travels in the address", () => {
  test("a short one whole, a long one on straight lines between forty places", () => {
    const range = [-2, 2] as const;
    const short = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
    const back = valuesOf(lettersOf(short, range), 12, range) ?? [];
    short.forEach((value, i) => expect(back[i]).toBeCloseTo(value, 1));
    const long = Float32Array.from({ length: 100 }, (_, i) => -2 + (4 * i) / 99);
    expect(lettersOf(long, range)).toHaveLength(40);
    (valuesOf(lettersOf(long, range), 100, range) ?? []).forEach((v, i) => expect(v).toBeCloseTo(long[i], 0.9));
  });

  test("letters of somebody else are none", () => {
    expect(valuesOf("AB", 12, [0, 1])).toBeNull();
    expect(valuesOf("AB$DEFGHIJKL", 12, [0, 1])).toBeNull();
  });
});

describe("marks on a long series", () => {
  const scores = Float32Array.of(0, 3, 0, 4, 0, 0, 0, 5, 5, 0);

  test("what is close together is one stretch, counted from the first step that has a score", () => {
    expect(marksOf(scores, 2, 10, 2)).toEqual([
      [11, 14],
      [17, 19],
    ]);
    expect(marksOf(scores, 9, 10, 2)).toEqual([]);
  });

  test("a mark behind a strange stretch is its echo; elsewhere it is false", () => {
    const strange = [[10, 12]] as const;
    expect(judged([[11, 13]], strange, 1, 8)).toEqual({ found: 1, wrong: 0 });
    expect(judged([[15, 16]], strange, 1, 8)).toEqual({ found: 0, wrong: 0 });
    expect(judged([[30, 31]], strange, 1, 8)).toEqual({ found: 0, wrong: 1 });
  });

  test("how many held-out steps are quiet", () => {
    expect(quietAt([1, 2, 3, 4], 2.5)).toBe(0.5);
  });
});
