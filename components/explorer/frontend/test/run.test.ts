import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { checkCard } from "../src/card";
import { Fault, MissingFile } from "../src/fault";
import { brokenCodes, RunFolder, unpacked } from "../src/run";
import { HttpSource } from "../src/source";

/** A run.json that a test may spoil in any way. */
interface Stored {
  [name: string]: unknown;
  dataset: Record<string, unknown>;
  codes: Record<string, unknown>;
}

const card = (change: (card: Stored) => unknown = () => undefined): Stored => {
  const whole: Stored = {
    format: 1,
    id: "0123456789abcdef",
    dataset: {
      name: "digits",
      title: "Digits",
      kind: "image",
      shape: [8, 8, 1],
      classes: ["0", "1"],
      label: "digit",
      factors: [],
    },
    architecture: { title: "Variational", variational: true },
    codes: {
      count: 10,
      size: 3,
      low: [0, 0, 0],
      high: [1, 1, 1],
      mean: [0.5, 0.5, 0.5],
      variance: [1, 1, 1],
      kl: [1, 2, 3],
      dead: [false, false, true],
      nearest_p99: 0.2,
    },
    projections: {
      pca: {
        mean: [0, 0, 0],
        components: [
          [1, 0, 0],
          [0, 1, 0],
        ],
        explained: [0.5, 0.3],
      },
      tsne: { count: 5, perplexity: 30 },
    },
    replay: { count: 5, epochs: [1, 2] },
    thumbnails: { shape: [8, 8, 1] },
    files: { "decoder.onnx": { bytes: 3, sha256: "" } },
  };
  change(whole);
  return whole;
};

describe("run.json", () => {
  test("a whole one is taken as it is", () => expect(checkCard(card())).toEqual(card()));

  const wrong: Record<string, (card: Stored) => unknown> = {
    "format 2": (c) => (c["format"] = 2),
    "no codes": (c) => Reflect.deleteProperty(c, "codes"),
    "no code": (c) => (c.codes["count"] = 0),
    "half a code": (c) => (c.codes["size"] = 1.5),
    "a range too short": (c) => (c.codes["low"] = [0, 0]),
    "a range without end": (c) => (c.codes["high"] = [1, 1, null]),
    "no dataset": (c) => Reflect.deleteProperty(c, "dataset"),
    "no shape": (c) => (c.dataset["shape"] = []),
    "an empty shape": (c) => (c.dataset["shape"] = [8, 0, 1]),
    "four axes": (c) => (c.dataset["shape"] = [1, 8, 8, 1]),
  };
  for (const [name, change] of Object.entries(wrong))
    test(`${name} is refused`, () => expect(() => checkCard(card(change))).toThrow(Fault));
  for (const value of [null, 3, "text", []])
    test(`${JSON.stringify(value)} is refused`, () => expect(() => checkCard(value)).toThrow(Fault));

  test("what is only nice to have is dropped when malformed", () => {
    const read = checkCard(
      card((c) => {
        c["projections"] = {
          pca: {
            mean: [0, 0],
            components: [
              [1, 0, 0],
              [0, 1, 0],
            ],
          },
          tsne: { count: "many" },
        };
        c["replay"] = { count: 5, epochs: [1] };
        c["thumbnails"] = { shape: [8, 8] };
        Object.assign(c.codes, { kl: [1], dead: [true], nearest_p99: "far", mean: null, variance: [1, NaN, 1] });
        c["files"] = null;
      }),
    );
    expect(read.projections).toEqual({ pca: null, tsne: null });
    expect([read.replay, read.thumbnails, read.codes.kl, read.codes.nearest_p99]).toEqual([null, null, null, null]);
    expect([read.codes.dead, read.codes.mean, read.codes.variance]).toEqual([
      [false, false, false],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(read.files).toEqual({});
  });

  test("a signal and a row bring their columns", () => {
    const of = (kind: string, shape: number[], columns?: unknown) =>
      checkCard(card((c) => Object.assign(c.dataset, { kind, shape, columns }))).dataset.columns;
    const speed = { name: "speed", kind: "number", start: 0, width: 1, mean: 3, deviation: 2, values: [] };
    expect(of("signal", [20, 1], [speed])).toEqual([speed]);
    expect(of("table", [2])?.map((c) => c.name)).toEqual(["feature 1", "feature 2"]);
    expect(() => of("signal", [20])).toThrow("of kind signal");
    expect(() => of("table", [20, 2])).toThrow("of kind table");
  });

  test("names become texts", () => {
    const read = checkCard(
      card((c) => Object.assign(c.dataset, { classes: [1, null], factors: "none", title: undefined })),
    );
    expect([read.dataset.classes, read.dataset.factors, read.dataset.title]).toEqual([["1", "null"], [], "digits"]);
  });
});

test("a fault says what is wrong and what to do", () =>
  expect(new Fault("this came", "do so").message).toBe("This came. Do so."));

test("gzipped bytes are unpacked, others are left alone", async () => {
  const bytes = new Uint8Array([5, 6, 7]);
  expect(await unpacked(new Uint8Array(gzipSync(bytes)))).toEqual(bytes);
  expect(await unpacked(bytes)).toBe(bytes);
});

test("a run can be read from anywhere that has its bytes", async () => {
  const files: Record<string, string> = { "run.json": JSON.stringify(card()), "codes.f32": "12345678" };
  const run = new RunFolder({
    bytes: (name) =>
      name in files
        ? Promise.resolve(new TextEncoder().encode(files[name]))
        : Promise.reject(new MissingFile(`no ${name}`, "")),
  });
  expect((await run.card()).id).toBe("0123456789abcdef");
  expect(await run.integers("codes.f32", 2)).toHaveLength(2);
  await expect(run.floats("codes.f32", 3)).rejects.toThrow("8 bytes instead of 12");
  expect(await run.optionalBytes("samples.f32.gz")).toBeNull();
});

test("a code is broken when any of its numbers is, and counts once", () =>
  expect(brokenCodes(Float32Array.of(1, 2, NaN, Infinity, 3, NaN, 4, 5), 2)).toBe(2));

describe("reading files", () => {
  afterEach(() => vi.unstubAllGlobals());
  const folder = () => new RunFolder(new HttpSource("http://app/run/a/b/", new AbortController().signal));
  const answer = (body: BodyInit | null, init?: ResponseInit) =>
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));

  test("a file of the right size is read", async () => {
    answer(new Float32Array([1.5, -2]).buffer);
    expect([...(await folder().floats("codes.f32", 2))]).toEqual([1.5, -2]);
  });

  test("one that is cut short is refused, and the sentence has both numbers", async () => {
    answer(new Uint8Array(1200));
    await expect(folder().floats("codes.f32", 600)).rejects.toThrow(
      "The file codes.f32 of this run has 1,200 bytes instead of 2,400. ",
    );
  });

  test("one that is missing is said to be, unless it may be", async () => {
    answer("no", { status: 404 });
    await expect(folder().integers("labels.i32", 1)).rejects.toThrow("the server answered 404");
    expect(await folder().optionalBytes("thumbnails.u8.gz", 4)).toBeNull();
    await expect(folder().bytes("thumbnails.u8.gz")).rejects.toThrow(MissingFile);
  });

  test("a page of HTML in its place is no file", async () => {
    answer("<!doctype html>", { headers: { "content-type": "text/html" } });
    await expect(folder().card()).rejects.toThrow(Fault);
  });

  test("a server that does not answer, a broken archive and a broken text are faults", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    await expect(folder().card()).rejects.toThrow(Fault);
    answer(new Uint8Array(gzipSync(new Uint8Array(5000))).slice(0, 20));
    await expect(folder().bytes("codes.f32")).rejects.toThrow("broke off on its way");
    answer("{");
    await expect(folder().card()).rejects.toThrow("is not JSON");
  });
});
