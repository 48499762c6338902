import { expect, test } from "vitest";
import { between } from "../src/labs/naming";
import { read, written } from "../src/labs/naming-acts";
import { densest, nearestOf, Spreading } from "../src/labs/spreading";

const soon = () => Promise.resolve();
/** Two clouds of 20 codes each, far apart. */
const codes = Float32Array.from({ length: 80 }, (_, i) => Math.sin(7.3 * i) + (i < 40 ? 0 : 9));
const pool = Int32Array.from({ length: 40 }, (_, i) => i);

test("the nearest are those of a full sort, without the code itself", async () => {
  const { k, places, squared } = await nearestOf(codes, 2, pool, pool, soon);
  for (const i of pool) {
    const far = (j: number) => (codes[2 * j] - codes[2 * i]) ** 2 + (codes[2 * j + 1] - codes[2 * i + 1]) ** 2;
    const sorted = [...pool].filter((j) => j !== i).sort((a, b) => far(a) - far(b));
    expect([...places.slice(i * k, i * k + k)]).toEqual(sorted.slice(0, k));
    expect(squared[i * k + k - 1]).toBeCloseTo(far(sorted[k - 1]), 4);
  }
});

test("two names reach all of both clouds, and what flows is the closed form of Zhou et al.", async () => {
  const near = await nearestOf(codes, 2, pool, pool, soon);
  const spreading = new Spreading(near, 2);
  const named = new Int32Array(40).fill(-1);
  [named[3], named[31]] = [1, 0];
  const shares = spreading.spread(named);
  expect([...spreading.told(shares)]).toEqual([...pool].map((i) => (i < 20 ? 1 : 0)));
  // F = (1 - α) (I - α S)^-1 Y: what comes out, less what its neighbours give of it, is what went in.
  const weights = Array.from({ length: 40 }, () => new Float64Array(40));
  const scale = (i: number) => Math.sqrt(near.squared[i * near.k + near.k - 1]);
  for (const i of pool)
    for (let n = 0; n < near.k; n++) {
      const j = near.places[i * near.k + n];
      weights[i][j] = weights[j][i] = Math.exp(-near.squared[i * near.k + n] / (scale(i) * scale(j)));
    }
  const degree = weights.map((row) => row.reduce((a, b) => a + b));
  for (const i of pool)
    for (const c of [0, 1]) {
      let along = 0;
      for (const j of pool) along += (weights[i][j] / Math.sqrt(degree[i] * degree[j])) * shares[2 * j + c];
      expect(shares[2 * i + c] - 0.95 * along).toBeCloseTo(named[i] === c ? 0.05 : 0, 3);
    }
  const many = Int32Array.from({ length: 41 }, (_, i) => (i < 16 ? 0 : i === 40 ? 1 : -1));
  const line = Float32Array.from({ length: 41 }, (_, i) => i);
  const all = Int32Array.from({ length: 41 }, (_, i) => i);
  const row = new Spreading(await nearestOf(line, 1, all, all, soon), 2);
  expect(row.told(row.spread(many))[30]).toBe(1); // one name against sixteen
  const judges = Int32Array.from([5, 25]);
  expect([...spreading.tell(await nearestOf(codes, 2, judges, pool, soon), shares)]).toEqual([1, 0]);
  expect([...spreading.told(spreading.spread(new Int32Array(40).fill(-1)))].every((one) => one === -1)).toBe(true);
});

test("the densest suggestion goes to the cloud that has no name yet, the least sure one between both", async () => {
  const near = await nearestOf(codes, 2, pool, pool, soon);
  const distance = (i: number, j: number) =>
    Math.hypot(codes[2 * i] - codes[2 * j], codes[2 * i + 1] - codes[2 * j + 1]);
  const named = new Int32Array(40).fill(-1);
  named[3] = 0;
  expect(densest(near, named, distance)).toBeGreaterThanOrEqual(20);
  const line = Float32Array.from({ length: 41 }, (_, i) => i);
  const all = Int32Array.from({ length: 41 }, (_, i) => i);
  const row = await nearestOf(line, 1, all, all, soon);
  const along = new Spreading(row, 2);
  const ends = new Int32Array(41).fill(-1);
  [ends[0], ends[40]] = [0, 1];
  expect(along.leastSure(along.spread(ends), ends)).toBe(20);
  const first = new Int32Array(41).fill(2);
  [first[0], first[1], first[40]] = [-1, 0, 1]; // the first place is one that can be unsure
  expect(new Spreading(row, 3).leastSure(new Spreading(row, 3).spread(first), first)).toBe(0);
  ends[40] = -1; // one class alone has a name: nothing is unsure yet
  expect(along.leastSure(along.spread(ends), ends)).toBeNull();
});

test("acts come back from an address, and what is no act is left out", () => {
  const acts = [
    { label: 3, places: [0, 1, 700, 1999] },
    { label: 0, places: [5] },
  ];
  const text = written(acts);
  expect(text).toMatch(/^[\w-]+$/);
  expect(read(text, 10, 2000)).toEqual(acts);
  expect(read(text, 3, 2000)).toEqual([acts[1]]);
  expect(read(text, 10, 1000)).toEqual([acts[1]]);
  for (const wrong of ["", "?", "AAAA", "_____w", text.slice(0, 4)]) expect(read(wrong, 10, 2000)).toEqual([]);
});

test("between two counts the share is in proportion to the logarithm", () => {
  expect(
    between(
      [
        [1, 0.2],
        [10, 0.4],
      ],
      Math.sqrt(10),
    ),
  ).toBeCloseTo(0.3);
  expect(between([[1, 0.2]], 2)).toBeNull();
});
