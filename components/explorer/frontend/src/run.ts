/** Reading a run over HTTP: its files are checked here, and every fault becomes a sentence. */

import { columnsOf, type Column } from "./kinds";

export interface RunFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** What the explorer needs of run.json (format 1; the whole of it is described in models/runs.py). */
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
  readonly architecture: { readonly title: string; readonly variational: boolean };
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
  readonly thumbnails: { readonly shape: readonly number[] } | null;
  readonly files: Readonly<Record<string, RunFile>>;
}

/** A fault told in three parts: what came, what was expected, what to do. */
export class Fault extends Error {
  constructor(came: string, expected: string, todo: string) {
    super([came, expected, todo].map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join(". ") + ".");
  }
}

const AGAIN = "reload the page, and if that does not help, train or download this run again";

export class RunFolder {
  constructor(
    readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** The bytes of a file; null when the server has none (404) and `optional`. */
  async bytes(name: string, expected?: number, optional?: false): Promise<Uint8Array<ArrayBuffer>>;
  async bytes(name: string, expected: number | undefined, optional: true): Promise<Uint8Array<ArrayBuffer> | null>;
  async bytes(name: string, expected?: number, optional = false): Promise<Uint8Array<ArrayBuffer> | null> {
    let response: Response;
    try {
      response = await fetch(new URL(name, this.url), { signal: this.signal });
    } catch (error) {
      if (this.signal.aborted) throw error;
      throw new Fault(
        `the file ${name} of this run could not be fetched (${(error as Error).message})`,
        "the server was expected to answer",
        "check that it is running, then reload the page",
      );
    }
    if (optional && response.status === 404) {
      void response.body?.cancel(); // unread, it would hold one of the browser's few connections
      return null;
    }
    // A page in place of a file is what servers send for addresses they do not know.
    if (!response.ok || /text\/html/.test(response.headers.get("content-type") ?? ""))
      throw new Fault(
        `the file ${name} of this run is missing (the server answered ${response.status})`,
        "a run folder of format 1 has this file",
        AGAIN,
      );
    let body: Uint8Array<ArrayBuffer>;
    try {
      body = await unpacked(new Uint8Array(await response.arrayBuffer()));
    } catch (error) {
      if (this.signal.aborted) throw error;
      throw new Fault(
        `the file ${name} of this run broke off on its way or cannot be unpacked`,
        "a whole file was expected",
        AGAIN,
      );
    }
    if (expected !== undefined && body.byteLength !== expected)
      throw new Fault(
        `the file ${name} of this run has ${body.byteLength.toLocaleString("en")} bytes`,
        `${expected.toLocaleString("en")} bytes were expected`,
        AGAIN,
      );
    return body;
  }

  async card(): Promise<RunCard> {
    const parsed = await this.json("run.json");
    // Their table may be as large as the samples are wide: it has a file of its own.
    const stored = (parsed as { files?: Record<string, unknown> } | null)?.files?.["columns.json"]
      ? await this.json("columns.json")
      : undefined;
    return checkCard(parsed, stored);
  }

  private async json(name: string): Promise<unknown> {
    try {
      return JSON.parse(new TextDecoder().decode(await this.bytes(name)));
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new Fault(`the file ${name} of this run cannot be read`, "a JSON text was expected", AGAIN);
      throw error;
    }
  }

  async floats(name: string, count: number): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array((await this.bytes(name, 4 * count)).buffer);
  }

  async integers(name: string, count: number): Promise<Int32Array<ArrayBuffer>> {
    return new Int32Array((await this.bytes(name, 4 * count)).buffer);
  }
}

/** Gzipped bytes unpacked, others as they are: whether a server or the file itself was compressed is then the same. */
export async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const isNumbers = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every((v) => typeof v === "number" && Number.isFinite(v));

/**
 * run.json as far as the explorer relies on it. What is only nice to have (replay, planes) is dropped when malformed.
 * `columns` is what columns.json holds; runs from before there was such a file have them in run.json.
 */
export function checkCard(value: unknown, columns?: unknown): RunCard {
  const wrong = (came: string, expected: string) =>
    new Fault(`the file run.json of this run is damaged: ${came}`, expected, AGAIN);
  if (typeof value !== "object" || value === null) throw wrong("it holds no object", "an object was expected");
  const card = value as Record<string, any>;
  if (card["format"] !== 1)
    throw new Fault(
      `this run is of format ${String(card["format"])}`,
      "this explorer reads format 1",
      "update Hourglass, or train the run again",
    );
  const { codes, dataset } = card;
  if (!Number.isInteger(codes?.count) || !Number.isInteger(codes?.size) || codes.count < 1 || codes.size < 1)
    throw wrong("its codes have no count or size", "two whole numbers above 0 were expected");
  for (const field of ["low", "high"])
    if (!isNumbers(codes[field], codes.size))
      throw wrong(`codes.${field} is not ${codes.size} finite numbers`, "one number per code dimension was expected");
  const shape = dataset?.shape;
  if (
    !Array.isArray(shape) ||
    shape.length < 1 ||
    shape.length > 3 ||
    !shape.every((n: unknown) => Number.isInteger(n) && (n as number) > 0)
  )
    throw wrong("its samples have no shape", "one to three whole numbers above 0 were expected");
  const kind = String(dataset.kind ?? "image");
  const axes = { signal: 2, table: 1 }[kind];
  if (axes && shape.length !== axes)
    throw wrong(
      `its samples are of kind ${kind} and of shape ${shape.join(" x ")}`,
      `${axes === 1 ? "one axis was" : "two axes were"} expected`,
    );
  const size: number = codes.size;
  const numbers = (field: string) => (isNumbers(codes[field], size) ? codes[field] : null);
  const { columns: stored, ...known } = dataset;
  const pca = card["projections"]?.pca;
  const replay = card["replay"];
  return {
    ...(card as RunCard),
    id: String(card["id"] ?? ""),
    dataset: {
      ...known,
      classes: Array.isArray(dataset.classes) ? dataset.classes.map(String) : [],
      factors: Array.isArray(dataset.factors) ? dataset.factors.map(String) : [],
      kind,
      title: String(dataset.title ?? dataset.name ?? ""),
      ...(kind === "image" ? {} : { columns: columnsOf(kind, shape, columns ?? stored) }),
    },
    architecture: {
      title: String(card["architecture"]?.title ?? ""),
      variational: card["architecture"]?.variational === true,
    },
    codes: {
      ...codes,
      mean: numbers("mean") ?? new Array(size).fill(0),
      variance: numbers("variance") ?? new Array(size).fill(0),
      kl: numbers("kl"),
      dead:
        Array.isArray(codes.dead) && codes.dead.length === size ? codes.dead.map(Boolean) : new Array(size).fill(false),
      nearest_p99: typeof codes.nearest_p99 === "number" && codes.nearest_p99 >= 0 ? codes.nearest_p99 : null,
    },
    projections: {
      pca:
        pca &&
        isNumbers(pca.mean, size) &&
        pca.components?.length === 2 &&
        pca.components.every((c: unknown) => isNumbers(c, size))
          ? pca
          : null,
      tsne: Number.isInteger(card["projections"]?.tsne?.count) ? card["projections"].tsne : null,
    },
    replay:
      Number.isInteger(replay?.count) && Array.isArray(replay?.epochs) && replay.epochs.length > 1 ? replay : null,
    thumbnails:
      Array.isArray(card["thumbnails"]?.shape) && card["thumbnails"].shape.length === 3 ? card["thumbnails"] : null,
    files: typeof card["files"] === "object" && card["files"] !== null ? card["files"] : {},
  };
}

/** How many codes have a number that is not finite. Such codes are shown nowhere and are nobody's neighbour. */
export function brokenCodes(values: Float32Array, size: number): number {
  let broken = 0;
  for (let at = 0; at < values.length; at += size) {
    for (let d = 0; d < size; d++)
      if (!Number.isFinite(values[at + d])) {
        broken++;
        break;
      }
  }
  return broken;
}
