/** What a worker does that computes many items at once: it is handed a network first, then blocks of values. */

import { messageOf } from "../fault";
import { Compiled, readWeights } from ".";
import type { Asked as Shot, GifServer } from "../films/gif";
import type { Asked as Lesson, Learner } from "../learning/learner";
import type { Parts } from "./network";

/** What it is asked: the values of `count` items. */
export interface Asked {
  readonly id: number;
  readonly values: Float32Array<ArrayBuffer>;
  readonly count: number;
}

/** What it answers: the values that come out and the milliseconds they took, or why there are none. */
export interface Answered {
  readonly id: number;
  readonly values?: Float32Array<ArrayBuffer>;
  readonly spent?: number;
  readonly failed?: string;
}

interface Scope {
  onmessage: ((event: MessageEvent<Parts | Asked | Lesson | Shot>) => void) | null;
  postMessage(answer: unknown, transfer: Transferable[]): void;
}

/** Answer what is asked of this worker. */
export function serve(): void {
  const scope = globalThis as unknown as Scope;
  let compiled: Promise<Compiled> | null = null;

  async function answer({ id, values, count }: Asked): Promise<void> {
    try {
      if (!compiled) throw new Error("no network has arrived");
      const network = await compiled;
      const begun = performance.now();
      const out = new Float32Array(count * network.outputs);
      network.run(values, count, out);
      scope.postMessage({ id, values: out, spent: performance.now() - begun }, [out.buffer]);
    } catch (error) {
      scope.postMessage({ id, failed: messageOf(error) }, []);
    }
  }

  /** What trains, fetched by the first who asks for it. */
  const learner = () =>
    (learning ??= import("../learning/learner").then(
      ({ Learner }) => new Learner((told, transfer) => scope.postMessage(told, transfer)),
    ));
  let learning: Promise<Learner> | null = null;
  /** What makes GIFs, in the same way. */
  const filmer = () => (filming ??= import("../films/gif").then(({ GifServer }) => new GifServer()));
  let filming: Promise<GifServer> | null = null;

  scope.onmessage = ({ data }) => {
    if ("learn" in data) void learner().then((one) => one.answer(data));
    else if ("film" in data) void filmer().then((one) => scope.postMessage(one.answer(data), []));
    else if ("bytes" in data) compiled = Compiled.of({ ...data, weights: readWeights(data.bytes) });
    else void answer(data);
  };
}
