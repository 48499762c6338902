/** run.json, checked: what the explorer knows about a run before it reads anything else. */

import { Fault, RELOAD } from "./fault";
import { columnsOf, type Column } from "./kinds";

export interface RunFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** What the explorer needs of run.json (format 1; all of it is described in models/runs/format.py). */
export interface RunCard {
  readonly format: number;
  readonly id: string;
  readonly dataset: {
    readonly name: string;
    readonly title: string;
    readonly kind: string;
    readonly shape: readonly number[];
    readonly classes: readonly string[];
    readonly label: string | null;
    readonly factors: readonly string[];
    readonly columns?: readonly Column[];
  };
  readonly architecture: { readonly title: string; readonly variational: boolean; readonly layers?: unknown };
  readonly codes: {
    readonly count: number;
    readonly size: number;
    readonly low: readonly number[];
    readonly high: readonly number[];
    readonly mean: readonly number[];
    readonly variance: readonly number[];
    readonly kl: readonly number[] | null;
    readonly dead: readonly boolean[];
    readonly nearest_p99: number | null;
  };
  readonly projections: {
    readonly pca: {
      readonly mean: readonly number[];
      readonly components: readonly [readonly number[], readonly number[]];
      readonly explained: readonly number[];
    } | null;
    readonly tsne: { readonly count: number; readonly perplexity: number } | null;
  };
  readonly replay: { readonly count: number; readonly epochs: readonly number[] } | null;
  /** Of all codes, or of the first `count`. */
  readonly thumbnails: { readonly shape: readonly number[]; readonly count?: number } | null;
  readonly files: Readonly<Record<string, RunFile>>;
  /** False where nobody knows how well samples are reconstructed: codes of somebody's own, without their originals. */
  readonly errors?: boolean;
}

/** An object as JSON.parse gives it: nothing is known of its values. */
export type Json = Readonly<Record<string, unknown>>;

/** The value as an object; an empty one in place of anything else. */
export const objectOf = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const isNumbers = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every((v) => typeof v === "number" && Number.isFinite(v));
const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value > 0;
const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length >= 1 && value.length <= 3 && value.every(isCount);
/** Whatever stands in a list, as text; an empty list in place of anything else. */
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
/** A value of JSON that is to be a line of text. */
const textOf = (value: unknown, otherwise = ""): string =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : otherwise;

const damaged = (problem: string): Fault => new Fault(`the file run.json of this run is damaged: ${problem}`, RELOAD);

/**
 * run.json as far as the explorer relies on it. What is only nice to have (replay, planes) is dropped when malformed.
 * `columns` is what columns.json holds; runs from before there was such a file have them in run.json.
 */
export function checkCard(value: unknown, columns?: unknown): RunCard {
  if (typeof value !== "object" || value === null) throw damaged("it holds no object");
  const card = objectOf(value);
  if (card["format"] !== 1)
    throw new Fault(
      `this run is of format ${textOf(card["format"], "unknown")}, and this explorer reads format 1`,
      "update Hourglass, or train the run again",
    );
  const codes = checkCodes(objectOf(card["codes"]));
  const dataset = checkDataset(objectOf(card["dataset"]), columns);
  const architecture = objectOf(card["architecture"]);
  const projections = objectOf(card["projections"]);
  const replay = objectOf(card["replay"]);
  const thumbnails = objectOf(card["thumbnails"]);
  return {
    ...(card as unknown as RunCard),
    id: textOf(card["id"]),
    dataset,
    architecture: {
      title: textOf(architecture["title"]),
      variational: architecture["variational"] === true,
      ...(architecture["layers"] === undefined ? {} : { layers: architecture["layers"] }), // checked where they are computed
    },
    codes,
    projections: { pca: pcaOf(objectOf(projections["pca"]), codes.size), tsne: tsneOf(objectOf(projections["tsne"])) },
    replay:
      isCount(replay["count"]) &&
      Array.isArray(replay["epochs"]) &&
      replay["epochs"].length > 1 &&
      isNumbers(replay["epochs"], replay["epochs"].length)
        ? { ...replay, count: replay["count"], epochs: replay["epochs"] }
        : null,
    thumbnails:
      isShape(thumbnails["shape"]) && thumbnails["shape"].length === 3
        ? { shape: thumbnails["shape"], ...(isCount(thumbnails["count"]) ? { count: thumbnails["count"] } : {}) }
        : null,
    files: objectOf(card["files"]) as RunCard["files"],
  };
}

function checkCodes(codes: Json): RunCard["codes"] {
  const { count, size, low, high, mean, variance, kl, dead, nearest_p99 } = codes;
  if (!isCount(count) || !isCount(size))
    throw damaged("the count and the size of its codes must be whole numbers above 0");
  const limits = (name: string, value: unknown): number[] => {
    if (isNumbers(value, size)) return value;
    throw damaged(`codes.${name} must be ${size} finite numbers, one for each dimension`);
  };
  return {
    ...codes,
    count,
    size,
    low: limits("low", low),
    high: limits("high", high),
    mean: isNumbers(mean, size) ? mean : new Array<number>(size).fill(0),
    variance: isNumbers(variance, size) ? variance : new Array<number>(size).fill(0),
    kl: isNumbers(kl, size) ? kl : null,
    dead: Array.isArray(dead) && dead.length === size ? dead.map(Boolean) : new Array<boolean>(size).fill(false),
    nearest_p99: typeof nearest_p99 === "number" && nearest_p99 >= 0 ? nearest_p99 : null,
  };
}

function checkDataset(dataset: Json, columns: unknown): RunCard["dataset"] {
  const { columns: stored, ...known } = dataset;
  const { shape } = known;
  if (!isShape(shape)) throw damaged("the shape of its samples must be one to three whole numbers above 0");
  const kind = textOf(known["kind"], "image");
  const axes = { signal: 2, table: 1 }[kind];
  if (axes && shape.length !== axes)
    throw damaged(
      `its samples are of kind ${kind} and of shape ${shape.join(" x ")}, which should have ${axes === 1 ? "one number" : "two numbers"}`,
    );
  const name = textOf(known["name"]);
  return {
    ...known,
    name,
    title: textOf(known["title"], name),
    kind,
    shape,
    classes: textsOf(known["classes"]),
    label: typeof known["label"] === "string" ? known["label"] : null,
    factors: textsOf(known["factors"]),
    ...(kind === "image" ? {} : { columns: columnsOf(kind, shape, columns ?? stored) }),
  };
}

function pcaOf(pca: Json, size: number): RunCard["projections"]["pca"] {
  const { mean, components, explained } = pca;
  if (!isNumbers(mean, size) || !Array.isArray(components) || components.length !== 2) return null;
  const [u, v] = components as readonly unknown[];
  if (!isNumbers(u, size) || !isNumbers(v, size)) return null;
  return { mean, components: [u, v], explained: isNumbers(explained, 2) ? explained : [] };
}

function tsneOf(tsne: Json): RunCard["projections"]["tsne"] {
  const { count, perplexity } = tsne;
  return isCount(count) ? { count, perplexity: typeof perplexity === "number" ? perplexity : 0 } : null;
}
