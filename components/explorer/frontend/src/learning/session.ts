/** A training as the page sees it: the worker that does it, what it told last, and the run that its network is meanwhile. */

import type { RunCard } from "../card";
import { Fault, MissingFile, RELOAD } from "../fault";
import type { Source } from "../source";
import { describe, MainPlane } from "./described";
import type { Answer, Asked, Told } from "./learner";
import { ACTIVATIONS, layersOf, nameOf, type Spec } from "./spec";
import type { Samples } from "./plan";

/** What is learnt from: samples of a run, and which of its codes they are. */
export interface Lesson {
  readonly card: RunCard;
  readonly samples: Samples;
  readonly positions: Int32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer> | null;
  /** Whether the samples are what the run's own decoder draws, since the originals are not at hand. */
  readonly drawn: boolean;
  /** What somebody drew, behind the samples: drawing k has the position -1 - k. */
  readonly drawings: readonly Float32Array[];
  /** The samples without drawings, where there are some. */
  readonly base: Lesson | null;
}

const WORDS: Record<(typeof ACTIVATIONS)[number], string> = {
  relu: "ReLU",
  gelu: "GELU",
  norm: "layer norm and GELU",
  sigmoid: "sigmoid",
};

/** Milliseconds after which a hand has come to rest; and how much later a map is drawn anew while it moves: the picture under it
 * comes first. */
const HAND_RESTS = 400,
  HAND_WAITS = 150;

export class Session {
  /** Errors of all steps, of the held-out samples after each epoch, and PCA's on these. */
  readonly stepped: number[] = [];
  readonly judged: number[] = [];
  /** Mean loss and mean KL divergence of each whole epoch. */
  readonly losses: (readonly [number, number])[] = [];
  latest: Told | null = null;
  /** What it told last when it rested: the newest whole network. */
  rested: Told | null = null;
  failed = "";
  private readonly worker: Worker;
  private readonly listeners = new Set<() => void>();
  private readonly planes = new MainPlane();
  private waiting: ((ok: boolean) => void) | null = null;
  private saving: ((bytes: Uint8Array<ArrayBuffer>) => void) | null = null;
  /** When a hand moved last over what is shown. */
  handAt = -Infinity;
  private frame = 0;
  private timer = 0;

  constructor(
    readonly lesson: Lesson,
    readonly spec: Spec,
    start: () => Worker,
  ) {
    this.worker = start();
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => this.take(data);
    this.worker.onerror = (event) => this.fail(event.message || "its worker did not start");
  }

  /** Waits until the network stands as it begins; false where it failed. */
  begin(): Promise<boolean> {
    this.ask({ learn: "begin", spec: this.spec, samples: this.lesson.samples });
    return new Promise((done) => (this.waiting = done));
  }

  ask(asked: Asked): void {
    this.worker.postMessage(asked);
  }

  /** `changed` is called whenever something new was told. Returns what ends that. */
  follow(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  private take(answer: Answer): void {
    if ("failed" in answer) return this.fail(answer.failed);
    if ("saved" in answer) {
      this.saving?.(answer.saved);
      this.saving = null;
      return;
    }
    this.stepped.push(...answer.stepped);
    this.judged.push(...answer.judged);
    this.losses.push(...answer.losses);
    this.latest = answer;
    if (answer.rest) this.rested = answer;
    this.waiting?.(true);
    this.waiting = null;
    for (const changed of this.listeners) changed();
    // The next one is for the frame after this has been shown, and a little later where a hand moves over the map.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const wait = this.handAt + HAND_RESTS > performance.now() ? HAND_WAITS : 0;
      if (wait) this.timer = window.setTimeout(() => this.ask({ learn: "shown" }), wait);
      else this.ask({ learn: "shown" });
    });
  }

  /** All weights as a safetensors file, with what is known of them: what the app opens. */
  save(): Promise<Uint8Array<ArrayBuffer>> {
    const { spec, latest, lesson } = this;
    const { name, fingerprint } = lesson.card.dataset as RunCard["dataset"] & { readonly fingerprint?: string };
    const facts = {
      format: 1,
      dataset: name,
      fingerprint: fingerprint ?? "",
      architecture: nameOf(spec),
      code_size: spec.size,
      noise: spec.noise,
      noise_level: spec.noise === "none" ? 0 : spec.level,
      learning_rate: spec.rate,
      batch_size: spec.batch,
      seed: spec.seed,
      seconds: latest?.seconds ?? 0,
      samples: lesson.positions.length,
      errors: this.judged.slice(1),
      losses: this.losses.map(([loss]) => loss),
      kls: this.losses.map(([, kl]) => kl),
    };
    this.ask({ learn: "save", about: { hourglass: JSON.stringify(facts) } });
    return new Promise((done) => (this.saving = done));
  }

  private fail(sentence: string): void {
    this.failed = sentence;
    this.waiting?.(false);
    this.waiting = null;
    for (const changed of this.listeners) changed();
  }

  end(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.listeners.clear();
    this.worker.terminate();
  }

  get running(): boolean {
    return this.latest?.running ?? false;
  }

  describe(codes: Float32Array): RunCard["codes"] {
    return describe(codes, this.spec.size);
  }

  /** The plane in which codes of three numbers or more differ most; null where there are fewer. */
  plane(codes: Float32Array) {
    return this.spec.size > 2 ? this.planes.plane(codes, this.spec.size) : null;
  }

  /** What the architecture is called. */
  get title(): string {
    const { widths, activation, variational } = this.spec;
    const hidden = widths.length ? ` ${widths.join("–")}, ${WORDS[activation]}` : ", linear";
    return `${variational ? "Variational" : "Dense"}${hidden}`;
  }

  /** Its network as a run of its own. */
  readonly source: Source = {
    bytes: (name) => {
      const bytes = this.file(name);
      if (!bytes) throw new MissingFile(`the file ${name} is not there while a network learns`, RELOAD);
      return Promise.resolve(bytes);
    },
  };

  private file(name: string): Uint8Array<ArrayBuffer> | null {
    const { latest, rested, lesson } = this;
    if (!latest) throw new Fault("the network has not begun to learn", RELOAD);
    const raw = (numbers: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>) => new Uint8Array(numbers.buffer);
    if (name === "run.json") return new TextEncoder().encode(JSON.stringify(this.card(latest)));
    if (name === "codes.f32") return raw(latest.codes);
    if (name === "labels.i32") return raw(lesson.labels ?? new Int32Array(lesson.positions.length).fill(-1));
    if (name === "errors.f32") return rested?.rest ? raw(rested.rest.errors) : null;
    if (name === "decoder.safetensors") return latest.decoder;
    if (name === "encoder.safetensors") return rested?.rest?.encoder ?? null;
    return null;
  }

  private card(told: Told): unknown {
    const { card } = this.lesson,
      { size, variational } = this.spec;
    return {
      format: 1,
      id: nameOf(this.spec),
      dataset: { ...card.dataset, factors: [] },
      architecture: { title: this.title, variational, layers: layersOf(this.spec) },
      codes: this.describe(told.codes),
      projections: { pca: size > 2 ? this.planes.of(told.codes, size) : null, tsne: null },
      replay: null,
      thumbnails: null,
      files: {},
    };
  }
}
