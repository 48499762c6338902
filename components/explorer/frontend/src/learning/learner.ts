/** What a worker does that trains: it takes steps, and tells how far it is whenever the page has shown what it told last. */

import { messageOf } from "../fault";
import { pcaError } from "./pca";
import type { Spec } from "./spec";
import type { Samples } from "./plan";
import { Trainer } from "./trainer";
import { writeWeights } from "./weights";

/** What it is asked: to begin first, and once. */
export type Asked =
  | { readonly learn: "begin"; readonly spec: Spec; readonly samples: Samples }
  | { readonly learn: "go" | "pause" | "step" | "shown" }
  | { readonly learn: "extend"; readonly epochs: number }
  | { readonly learn: "save"; readonly about: Readonly<Record<string, string>> };

/** How far it is. */
export interface Told {
  readonly epoch: number;
  readonly epochs: number;
  readonly running: boolean;
  readonly done: boolean;
  /** Seconds of training so far. */
  readonly seconds: number;
  readonly pca: number;
  readonly kl: number;
  /** The error of each step since the last time, and of the held-out samples at each whole epoch since then. */
  readonly stepped: Float32Array<ArrayBuffer>;
  readonly judged: readonly number[];
  /** The mean loss and the mean KL divergence of each whole epoch since then. */
  readonly losses: readonly (readonly [loss: number, kl: number])[];
  readonly codes: Float32Array<ArrayBuffer>;
  readonly decoder: Uint8Array<ArrayBuffer>;
  /** When it rests: everything, as it is now. */
  readonly rest?: {
    readonly encoder: Uint8Array<ArrayBuffer>;
    readonly errors: Float32Array<ArrayBuffer>;
    /** Of the held-out samples, and how many these are. */
    readonly error: number;
    readonly held: number;
  };
}
export type Answer = Told | { readonly failed: string } | { readonly saved: Uint8Array<ArrayBuffer> };

const SLICE = 12, // milliseconds of steps between two looks at what is asked
  FRAME = 15; // between two tellings, at least

type Send = (answer: Answer, transfer: Transferable[]) => void;

export class Learner {
  private trainer: Trainer | null = null;
  private running = false;
  private shown = true;
  private told = 0;
  private seconds = 0;
  private pca = NaN;
  private stepped: number[] = [];
  private judged: number[] = [];
  private losses: [number, number][] = [];
  private sums: [number, number] = [0, 0];
  private readonly next = new MessageChannel();

  constructor(private readonly send: Send) {
    this.next.port1.onmessage = () => this.slice();
  }

  async answer(asked: Asked): Promise<void> {
    if (asked.learn === "begin") return this.begin(asked.spec, asked.samples);
    if (asked.learn === "shown") this.shown = true;
    const { trainer } = this;
    if (!trainer) return;
    if (asked.learn === "extend") trainer.extend(asked.epochs);
    if (asked.learn === "go" || asked.learn === "extend") {
      if (!this.running) this.next.port2.postMessage(0);
      this.running = true;
    }
    if (asked.learn === "save") {
      const saved = writeWeights(trainer.weights(), trainer.parameters, undefined, asked.about);
      this.send({ saved }, [saved.buffer]);
    }
    if (asked.learn === "pause") this.rest();
    if (asked.learn === "step") {
      if (trainer.done) trainer.extend(1);
      this.step(trainer);
      this.rest();
    }
  }

  private async begin(spec: Spec, samples: Samples): Promise<void> {
    try {
      const trainer = await Trainer.of(spec, samples);
      this.judged = [trainer.measure(trainer.judging)];
      const features = spec.shape.reduce((all, n) => all * n, 1);
      this.pca = await pcaError(samples, features, spec.size, trainer.learning, trainer.judging);
      this.trainer = trainer;
      this.rest();
    } catch (error) {
      this.send({ failed: messageOf(error) }, []);
    }
  }

  private step(trainer: Trainer): void {
    const begun = performance.now();
    trainer.step();
    this.seconds += (performance.now() - begun) / 1000;
    this.stepped.push(trainer.error);
    this.sums[0] += trainer.loss / trainer.perEpoch;
    this.sums[1] += trainer.kl / trainer.perEpoch;
    if (trainer.steps % trainer.perEpoch) return;
    this.losses.push(this.sums);
    this.sums = [0, 0];
    const { kl } = trainer;
    this.judged.push(trainer.measure(trainer.judging));
    trainer.kl = kl;
  }

  private slice(): void {
    const { trainer } = this;
    if (!trainer || !this.running) return;
    const end = performance.now() + SLICE;
    while (!trainer.done && performance.now() < end) this.step(trainer);
    if (trainer.done || !Number.isFinite(trainer.error)) return this.rest();
    if (this.shown && performance.now() - this.told > FRAME) this.tell(trainer);
    this.next.port2.postMessage(0);
  }

  /** Everything as it is now, measured on all samples. */
  private rest(): void {
    const { trainer } = this;
    this.running = false;
    if (!trainer) return;
    if (!Number.isFinite(trainer.error) && trainer.steps)
      return this.send({ failed: "the loss became infinite: choose a smaller learning rate" }, []);
    if (trainer.judging.length !== trainer.learning.length) trainer.measure(trainer.learning);
    const error = trainer.measure(trainer.judging);
    const encoder = writeWeights(trainer.weights(), trainer.parameters, (name) => name.startsWith("encoder."));
    this.tell(trainer, { encoder, errors: trainer.errors.slice(), error, held: trainer.judging.length });
  }

  private tell(trainer: Trainer, rest?: Told["rest"]): void {
    const decoder = writeWeights(trainer.weights(), trainer.parameters, (name) => name.startsWith("decoder."));
    const codes = trainer.codes.slice(),
      stepped = Float32Array.from(this.stepped);
    const told: Told = {
      epoch: trainer.epoch,
      epochs: trainer.planned / trainer.perEpoch,
      running: this.running,
      done: trainer.done,
      seconds: this.seconds,
      pca: this.pca,
      kl: trainer.kl,
      stepped,
      judged: this.judged,
      losses: this.losses,
      codes,
      decoder,
      ...(rest ? { rest } : {}),
    };
    this.send(told, [codes.buffer, decoder.buffer, stepped.buffer]);
    [this.stepped, this.judged, this.losses] = [[], [], []];
    [this.shown, this.told] = [false, performance.now()];
  }
}
