import { expect, test, vi } from "vitest";
import { checkCard } from "../src/card";
import { RunData } from "../src/data";
import { MissingFile } from "../src/fault";
import { RunFolder } from "../src/run";

const card = checkCard({
  format: 1,
  id: "a",
  dataset: { name: "digits", kind: "image", shape: [2, 2, 1], classes: ["zero", "one"], factors: ["angle"] },
  codes: { count: 3, size: 3, low: [0, 0, 0], high: [1, 1, 1] },
  projections: { tsne: { count: 2, perplexity: 5 } },
  thumbnails: { shape: [2, 2, 1] },
});
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const integers = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);

function run(files: Record<string, Uint8Array<ArrayBuffer>>, more: Partial<typeof card> = {}) {
  const notice = vi.fn<(error: unknown) => void>();
  const source = {
    bytes: (name: string) =>
      name in files ? Promise.resolve(files[name]) : Promise.reject(new MissingFile(`no ${name}`, "")),
  };
  return { notice, data: new RunData(new RunFolder(source), { ...card, ...more }, notice) };
}

const CODES = floats(1, 2, 3, 4, 5, 6, 7, 8, NaN);
const whole = {
  "codes.f32": CODES,
  "labels.i32": integers(1, -1, 7),
  "projections/tsne.f32": floats(0, 0, 1, 1),
  "projections/tsne-index.i32": integers(2, 0),
};

test("codes, labels and planes are read; a broken code is reported", async () => {
  const { data, notice } = run(whole);
  await data.load();
  expect([...data.codeOf(1)]).toEqual([4, 5, 6]);
  expect([0, 1, 2].map((i) => data.labelOf(i))).toEqual([1, -1, -1]);
  expect([0, 1, 2].map((i) => data.className(i))).toEqual(["one", "no label", "no label"]);
  expect(data.planes.map((plane) => plane.key)).toEqual(["z1,z2", "tsne"]);
  expect(notice.mock.calls.map(String)).toEqual([expect.stringContaining("1 of 3 codes are not finite")]);
});

test("a UMAP of the same codes is a plane where the run has one", async () => {
  const file = { "projections/umap.f32": floats(2, 2, 3, 3) };
  const { data } = run({ ...whole, ...file }, { files: { "projections/umap.f32": { bytes: 16, sha256: "" } } });
  await data.load();
  expect(data.planes.map((plane) => plane.key)).toEqual(["z1,z2", "tsne", "umap"]);
  expect([...data.planeOf("umap").xy]).toEqual([2, 2, 3, 3]);
  expect([...data.planeOf("umap").index!]).toEqual([2, 0]);
  const without = run({ ...whole, ...file });
  await without.data.load();
  expect(without.data.planes.map((plane) => plane.key)).toEqual(["z1,z2", "tsne"]);
});

test("whoever borrows originals has their scales, too", async () => {
  const signals = { dataset: { ...card.dataset, kind: "signal", shape: [2, 1] } } as Partial<typeof card>;
  const lender = run({ ...whole, "samples.f32.gz": floats(1, 2, 3, 4, 5, 6) }, signals).data;
  await lender.loadOriginals();
  const { data } = run(whole, signals);
  expect(data.samples).toBe(null);
  await data.borrow(lender, [2, 1, 0]);
  expect([...data.samples!]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...data.original(0)!]).toEqual([5, 6]);
});

test("any two dimensions are a plane, and what is none becomes the first", async () => {
  const { data } = run(whole);
  await data.load();
  expect(data.planeOf("tsne")).toBe(data.planes[1]);
  expect(data.planeOf("z3,z1").key).toBe("z3,z1");
  expect(data.planeOf("z9,z0").key).toBe("z3,z1");
  for (const key of ["", "pca", "z1", "x"]) expect(data.planeOf(key)).toBe(data.planes[0]);
});

test("without codes the rest goes on; a t-SNE that names codes that do not exist is left out", async () => {
  const { data, notice } = run({ ...whole, "projections/tsne-index.i32": integers(2, 3) });
  await data.load();
  expect(data.planes.map((plane) => plane.key)).toEqual(["z1,z2"]);
  expect(notice.mock.calls.map(String).join()).toContain("names codes that do not exist");
  const empty = run({});
  await empty.data.load();
  expect([empty.data.codes.length, empty.data.labels, empty.data.planes.length]).toEqual([0, null, 1]);
});

test("originals are on their way, then here or missing", async () => {
  const here = run({ ...whole, "thumbnails.u8.gz": Uint8Array.from({ length: 12 }, (_, i) => 17 * i) });
  expect(here.data.originals).toBe("loading");
  await here.data.loadOriginals();
  expect([here.data.originals, here.data.reduced]).toEqual(["here", false]);
  expect([...here.data.original(1)!]).toEqual([68, 85, 102, 119].map((v): unknown => expect.closeTo(v / 255)));
  const missing = run(whole);
  await missing.data.loadOriginals();
  expect([missing.data.originals, missing.data.original(1), missing.notice.mock.calls.length]).toEqual([
    "missing",
    null,
    0,
  ]);
});
