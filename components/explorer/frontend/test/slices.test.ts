import { expect, test } from "vitest";

import { decodeInSlices } from "../src/layers/slices";
import type { Job } from "../src/layers/layer";

/** A worker that answers, fails or says nothing. */
interface Fake {
  readonly answers: "values" | "nothing" | "failure";
}

const doubled = (values: Float32Array) => values.map((value) => 2 * value);

/** What was taken of codes 0, 1, 2, …, of which each takes the page 1 ms; and how many of them the page computed. */
async function decoded(count: number, workers: readonly Fake[], isCurrent = () => true) {
  let onPage = 0;
  const ready = workers.map(({ answers }) => ({
    pace: 1,
    run: (values: Float32Array) =>
      answers === "nothing"
        ? new Promise<null>(() => undefined)
        : new Promise((done) => setTimeout(() => done(answers === "values" ? doubled(values) : null), 1)),
  }));
  const here = (values: Float32Array) => {
    onPage += values.length;
    for (const begun = performance.now(); performance.now() - begun < values.length;);
    return doubled(values);
  };
  const many = { warm: () => undefined, ready, here, pace: 1 };
  const context = { decoding: { many: () => many }, card: { codes: { size: 1 } } };
  const codes = Array.from({ length: count }, (_, i) => Float32Array.of(i));
  const out = new Float32Array(count).fill(-1);
  let longest = 0;
  const whole = await decodeInSlices({ context, isCurrent } as unknown as Job, codes, (values, first, items) => {
    longest = Math.max(longest, items);
    for (let k = 0; k < items; k++) out[first + k] = values[k];
  });
  return { whole, out: Array.from(out), onPage, longest };
}

const all = (count: number) => Array.from({ length: count }, (_, i) => 2 * i);

test("the page alone decodes every code", async () => {
  const { whole, out, onPage } = await decoded(50, []);
  expect([whole, onPage]).toEqual([true, 50]);
  expect(out).toEqual(all(50));
});

test("workers take a part of the codes", async () => {
  const { out, onPage } = await decoded(100, [{ answers: "values" }, { answers: "values" }]);
  expect(out).toEqual(all(100));
  expect(onPage).toBeLessThan(80);
});

test.each(["nothing", "failure"] as const)("a worker that gives %s is not waited for", async (answers) => {
  const { whole, out, onPage, longest } = await decoded(60, [{ answers }, { answers }]);
  expect([whole, onPage]).toEqual([true, 60]);
  expect(out).toEqual(all(60));
  expect(longest).toBeLessThanOrEqual(8); // in slices, too
});

test("what was overtaken ends at once", async () => {
  let asked = 0;
  const { whole, onPage } = await decoded(100, [{ answers: "values" }], () => ++asked < 2);
  expect(whole).toBe(false);
  expect(onPage).toBeLessThan(20);
});
