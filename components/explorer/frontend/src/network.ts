/**
 * The run's two networks in the browser. They run on the page's own thread: a decode of these small networks takes
 * about a millisecond, less than a message to a worker and back may wait behind the page's own work.
 */

import type { InferenceSession } from "onnxruntime-web";
import type { RunCard } from "./card";
import { Fault, messageOf } from "./fault";
import { product } from "./maths";
import { unpacked, type RunFolder } from "./run";

type Ort = typeof import("onnxruntime-web");

let runtime: Promise<Ort> | null = null;

/** The runtime, fetched and started once for all explorers of the page. A failure is forgotten, so that it can be tried again. */
export function startRuntime(): Promise<Ort> {
  runtime ??= (async () => {
    const addressOf = (name: string) => new URL(/* @vite-ignore */ `./${name}`, import.meta.url).href;
    const [ort, wasm] = await Promise.all([
      import("onnxruntime-web/wasm") as Promise<Ort>,
      fetch(addressOf("ort-wasm-simd-threaded.wasm.gz")).then(async (response) => {
        if (!response.ok) throw new Error(`the server answered ${response.status}`);
        return unpacked(new Uint8Array(await response.arrayBuffer()));
      }),
    ]);
    ort.env.wasm.numThreads = 1; // more would need cross-origin isolation, and gains nothing on networks this small
    ort.env.wasm.wasmPaths = { mjs: addressOf("ort-wasm-simd-threaded.mjs") };
    ort.env.wasm.wasmBinary = wasm.buffer;
    ort.env.logLevel = "error";
    return ort;
  })().catch((error: unknown) => {
    runtime = null;
    throw new Fault(
      `the part that runs networks in the browser could not start (${messageOf(error)})`,
      "reload the page; if that does not help, update the browser: it needs WebAssembly",
    );
  });
  return runtime;
}

/** Sessions are made one after the other: the runtime keeps the files of weights it was handed in one common place. */
let lastSession: Promise<unknown> = Promise.resolve();

export class Network {
  private busy = false;
  private constructor(
    private readonly ort: Ort,
    private readonly session: InferenceSession,
    private readonly input: string,
    private readonly output: string,
    private readonly shape: readonly number[],
    readonly size: number,
  ) {}

  /** Loads `encoder` or `decoder`; a `Fault` when the runtime refuses it or it gives another shape than the run says. */
  static async load(
    folder: RunFolder,
    card: RunCard,
    which: "encoder" | "decoder",
    weights: Promise<Uint8Array>,
  ): Promise<Network> {
    const name = `${which}.onnx`;
    const [ort, graph, data] = await Promise.all([
      startRuntime(),
      folder.bytes(name, card.files[name]?.bytes),
      weights,
    ]);
    const [from, to, shape, size] =
      which === "decoder"
        ? (["code", "sample", [card.codes.size], product(card.dataset.shape)] as const)
        : (["sample", "code", card.dataset.shape, card.codes.size] as const);
    const session = lastSession.then(() =>
      ort.InferenceSession.create(graph, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: "all",
        externalData: [{ path: "weights.safetensors", data }],
      }),
    );
    lastSession = session.catch(() => undefined);
    let network: Network;
    try {
      network = new Network(ort, await session, from, to, shape, size);
    } catch (error) {
      throw new Fault(
        `the ${which} of this run is refused by the browser's runtime (${messageOf(error).slice(0, 160)})`,
        "train or export this run again",
      );
    }
    // The first run also lays out memory; nobody should feel that under the pointer.
    const result = await network.run(new Float32Array(product(shape)), 1).catch((error: unknown) => messageOf(error));
    if (!(result instanceof Float32Array) || result.length !== size) {
      network.release();
      throw new Fault(
        `the ${which} of this run gives ${result instanceof Float32Array ? `${result.length} numbers instead of ${size}` : `no “${to}” (${result?.slice(0, 160)})`}`,
        "train or export this run again",
      );
    }
    return network;
  }

  /** `count` items through the network, or null when it is busy: a caller then comes back with its newest values. */
  async run(values: Float32Array, count: number): Promise<Float32Array | null> {
    if (this.busy) return null;
    this.busy = true;
    try {
      const feed = new this.ort.Tensor("float32", values, [count, ...this.shape]);
      const result = await this.session.run({ [this.input]: feed }, [this.output]);
      return result[this.output].data as Float32Array;
    } finally {
      this.busy = false;
    }
  }

  release(): void {
    void this.session.release().catch(() => undefined);
  }
}
