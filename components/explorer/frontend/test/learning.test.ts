import { describe, expect, test } from "vitest";
import { Compiled, readWeights } from "../src/network";
import { describe as described, MainPlane } from "../src/learning/described";
import { Learner, type Answer, type Told } from "../src/learning/learner";
import { eigen, pcaError } from "../src/learning/pca";
import { normals, Random } from "../src/learning/random";
import { layersOf, nameOf, widthsOf, type Spec } from "../src/learning/spec";
import { Trainer } from "../src/learning/trainer";
import { writeWeights } from "../src/learning/weights";

const spec: Spec = {
  shape: [6, 5, 1],
  pixels: true,
  size: 2,
  widths: [24],
  activation: "norm",
  variational: false,
  noise: "none",
  level: 0,
  rate: 0.01,
  epochs: 20,
  batch: 32,
  seed: 7,
};

/** Bars of random place and height: two numbers say all of it. */
function bars(count: number): { values: Uint8Array<ArrayBuffer>; count: number } {
  const random = new Random(3),
    values = new Uint8Array(count * 30);
  for (let i = 0; i < count; i++) {
    const column = 4 * random.share(),
      height = 6 * random.share();
    for (let y = 0; y < 6; y++)
      for (let x = 0; x < 5; x++)
        values[i * 30 + y * 5 + x] = 255 * Math.max(0, 1 - Math.abs(x - column)) * Math.min(1, Math.max(0, height - y));
  }
  return { values, count };
}

describe("a network that learns", () => {
  test("does better than PCA, and the same again for the same seed", async () => {
    const samples = bars(300);
    const trained = async (seed: number) => {
      const trainer = await Trainer.of({ ...spec, seed }, samples);
      while (!trainer.done) trainer.step();
      return trainer;
    };
    const [one, same, other] = [await trained(7), await trained(7), await trained(8)];
    const pca = await pcaError(samples, 30, 2, one.learning, one.judging);
    expect([...same.codes]).toEqual([...one.codes]);
    expect([...other.codes]).not.toEqual([...one.codes]);
    expect(one.measure(one.judging)).toBeLessThan(0.6 * pca);
    expect(one.judging.length + one.learning.length).toBe(300);
    expect(new Set([...one.judging, ...one.learning]).size).toBe(300);
  });

  test("leaves weights with which the explorer's own network computes the same", async () => {
    const samples = bars(120);
    for (const variational of [false, true]) {
      const chosen = { ...spec, variational, widths: [24, 16], epochs: 3 };
      const trainer = await Trainer.of(chosen, samples);
      while (!trainer.done) trainer.step();
      trainer.measure(trainer.learning);
      trainer.measure(trainer.judging);
      const weights = readWeights(writeWeights(trainer.weights(), trainer.parameters));
      const { encoder, decoder } = layersOf(chosen);
      const down = await Compiled.of({ layers: encoder, weights, name: "encoder", shape: spec.shape });
      const up = await Compiled.of({ layers: decoder, weights, name: "decoder", shape: [2] });
      const pixels = Float32Array.from(samples.values.subarray(0, 30), (v) => v / 255);
      const code = down.run(pixels, 1, new Float32Array(down.outputs)).slice(0, 2);
      expect([...code].map((v, d) => Math.abs(v - trainer.codes[d]) < 1e-4)).toEqual([true, true]);
      const out = up.run(code, 1, new Float32Array(30));
      const error = out.reduce((sum, v, k) => sum + (v - pixels[k]) ** 2, 0) / 30;
      expect(error).toBeCloseTo(trainer.errors[0], 5);
      // A network that is renewed has the other weights, not the first ones.
      const first = await Trainer.of({ ...chosen, seed: 1 }, samples);
      const again = await Compiled.of({ layers: decoder, weights: first.weights(), name: "decoder", shape: [2] });
      expect([...again.run(code, 1, new Float32Array(30))]).not.toEqual([...out]);
      again.renew(weights);
      expect([...again.run(code, 1, new Float32Array(30))]).toEqual([...out]);
    }
  });

  test("learns from spoilt samples what the clean ones are", async () => {
    for (const noise of ["gaussian", "masking"] as const) {
      const trainer = await Trainer.of({ ...spec, noise, level: 0.2 }, bars(300));
      const before = trainer.measure(trainer.judging);
      trainer.step();
      const spoilt = trainer.error;
      while (!trainer.done) trainer.step();
      expect(trainer.measure(trainer.judging)).toBeLessThan(0.6 * before);
      expect(trainer.error).toBeLessThan(spoilt);
    }
  });

  test("is told of in steps, rests when it is asked to, and goes on", async () => {
    const told: Told[] = [];
    let next: ((told: Told) => void) | null = null;
    const learner = new Learner((answer: Answer) => {
      if (!("codes" in answer)) throw new Error(JSON.stringify(answer));
      told.push(answer);
      if (answer.rest) next?.(answer);
    });
    const rest = (ask: () => void) => new Promise<Told>((done) => ((next = done), ask()));
    const begun = await rest(() => void learner.answer({ learn: "begin", spec, samples: bars(200) }));
    expect(begun.epoch).toBe(0);
    expect(begun.judged.length).toBe(1);
    const one = await rest(() => void learner.answer({ learn: "step" }));
    expect(one.epoch).toBeCloseTo(1 / 6);
    expect(one.stepped.length).toBe(1);
    expect([...one.codes]).not.toEqual([...begun.codes]);
    const end = await rest(() => void learner.answer({ learn: "go" }));
    expect(end.done).toBe(true);
    expect(told.flatMap((answer) => answer.losses).length).toBe(20);
    expect(told.reduce((sum, answer) => sum + answer.stepped.length, 0)).toBe(120);
    expect(end.rest!.error).toBeLessThan(end.pca);
  });
});

describe("what is chosen", () => {
  test("has a name, and widths as people write them", () => {
    expect(nameOf({ ...spec, variational: true, widths: [128, 64] })).toBe("dense-variational-norm-128-64");
    expect(widthsOf("128, 64")).toEqual([128, 64]);
    expect(widthsOf("100")).toEqual([104]);
    expect(widthsOf(" ")).toEqual([]);
    expect(() => widthsOf("many")).toThrow("not possible");
    expect(() => widthsOf("8 8 8 8 8")).toThrow("at most 4");
  });
});

describe("numbers", () => {
  test("of a matrix that is known: its eigenvalues", () => {
    const { values, vectors } = eigen(Float64Array.from([2, 1, 0, 1, 2, 0, 0, 0, 5]), 3);
    [5, 3, 1].forEach((value, i) => expect(values[i]).toBeCloseTo(value, 10));
    expect(Math.abs(vectors[1][0])).toBeCloseTo(Math.SQRT1_2, 10);
  });

  test("PCA's error is nothing where samples lie in a plane", async () => {
    const random = new Random(1),
      values = new Float32Array(200 * 7);
    for (let i = 0; i < 200; i++) {
      const [a, b] = [random.normal(), random.normal()];
      for (let k = 0; k < 7; k++) values[i * 7 + k] = 3 + a * k + b * (k % 2);
    }
    const [learning, judging] = [Int32Array.from({ length: 150 }, (_, i) => i), Int32Array.of(160, 170, 199)];
    const error = (size: number) => pcaError({ values, count: 200 }, 7, size, learning, judging);
    expect(Math.abs(await error(2))).toBeLessThan(1e-6);
    expect(await error(1)).toBeGreaterThan(1e-2);
  });

  test("the table of normal numbers is normal", () => {
    const table = normals(4096);
    const moment = (k: number) => table.reduce((sum, v) => sum + v ** k, 0) / table.length;
    [0, 1, 0, 3].forEach((expected, k) => expect(moment(k + 1)).toBeCloseTo(expected, 1));
  });

  test("codes are described, and their plane does not turn over from one time to the next", () => {
    const random = new Random(2),
      codes = Float32Array.from({ length: 900 }, (_, i) => random.normal() * [3, 1, 1e-3][i % 3]);
    const { dead, low, high, count } = described(codes, 3);
    expect([dead, count]).toEqual([[false, false, true], 300]);
    expect(high[0] - low[0]).toBeGreaterThan(10);
    const plane = new MainPlane(),
      first = plane.of(codes, 3).components;
    const again = plane.of(
      codes.map((v) => v * -1.01),
      3,
    ).components; // the same directions
    expect(again[0][0] * first[0][0]).toBeGreaterThan(0.9);
  });
});
