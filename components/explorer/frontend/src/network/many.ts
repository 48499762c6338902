/** Many items through a network: some at a time on the page, blocks of them in workers, so that the page stays free. */

import type { Network } from "./network";
import type { Answered, Asked } from "./serve";

/** Beside the page's own thread. More would keep a phone's cores from everything else. */
const MOST_WORKERS = 2;
/** So many items a worker computes before it is of use: a browser first learns what is worth its best code. */
const WARM = 16;

export class Many {
  private helpers: Helper[] | null = null;
  /** Milliseconds that an item took on the page last; null while that is unknown. */
  pace: number | null = null;

  constructor(
    private readonly network: Network,
    /** Starts a worker; a function, since each host has its code elsewhere. */
    private readonly start: () => Worker,
  ) {}

  /** Starts the workers, so that they are ready when somebody needs them. */
  warm(): void {
    if (this.helpers) return;
    const spare = Math.max(1, (navigator.hardwareConcurrency || 2) - 1);
    const inputs = this.network.parts.shape.reduce((all, n) => all * n, 1);
    this.helpers = Array.from({ length: Math.min(MOST_WORKERS, spare) }, () => new Helper(this.start));
    for (const helper of this.helpers) helper.begin(this.network, new Float32Array(WARM * inputs), WARM);
  }

  /** The workers that would answer at once. */
  get ready(): readonly Helper[] {
    return this.helpers?.filter((helper) => helper.ready) ?? [];
  }

  /** The outputs of `count` items, one after the other, at once and on the page. */
  here(values: Float32Array, count: number): Float32Array {
    return this.network.all(values, count);
  }

  end(): void {
    for (const helper of this.helpers ?? []) helper.end();
    this.helpers = [];
  }
}

/** One worker. */
export class Helper {
  /** Whether it has answered and not failed since. */
  ready = false;
  /** Milliseconds that an item took there last. The time until an answer is taken says less: the page may be at work. */
  pace = 1;
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, (answer: Answered | null) => void>();
  private next = 0;

  constructor(private readonly start: () => Worker) {}

  /** Starts it with a network and has it compute these items. Where it does not start, the page computes by itself. */
  begin(network: Network, values: Float32Array<ArrayBuffer>, count: number): void {
    try {
      const worker = (this.worker = this.start());
      worker.onmessage = ({ data }: MessageEvent<Answered>) => {
        const take = this.waiting.get(data.id);
        this.waiting.delete(data.id);
        take?.(data);
      };
      worker.onerror = () => this.end();
      worker.postMessage(network.parts);
    } catch {
      return;
    }
    void this.run(values, count).then((found) => (this.ready = found !== null));
  }

  /** The outputs of `count` items; null where it fails. */
  run(values: Float32Array<ArrayBuffer>, count: number): Promise<Float32Array | null> {
    const { worker } = this;
    if (!worker) return Promise.resolve(null);
    const id = this.next++;
    return new Promise((done) => {
      this.waiting.set(id, (answer) => {
        if (answer?.spent !== undefined) this.pace = Math.max(1e-3, answer.spent / count);
        done(answer?.values ?? null);
      });
      const asked: Asked = { id, values, count };
      worker.postMessage(asked, [values.buffer]);
    });
  }

  end(): void {
    this.ready = false;
    this.worker?.terminate();
    this.worker = null;
    for (const take of this.waiting.values()) take(null);
    this.waiting.clear();
  }
}
