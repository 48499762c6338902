/** Many items through a network: few at once on the page, many in a worker, so that the page stays free. */

import type { Network } from "./network";
import type { Answered, Asked } from "./serve";

export class Many {
  private worker: Worker | null | undefined;
  private readonly waiting = new Map<number, (values: Float32Array | null) => void>();
  private next = 0;

  constructor(
    private readonly network: Network,
    /** Starts the worker; a function, since each host has its code elsewhere. */
    private readonly start: () => Worker,
  ) {}

  /** The worker, started by the first who needs it; null where none starts, or it has ended. */
  private started(): Worker | null {
    if (this.worker !== undefined) return this.worker;
    this.worker = null;
    try {
      const worker = this.start();
      worker.onmessage = ({ data }: MessageEvent<Answered>) => {
        const take = this.waiting.get(data.id);
        this.waiting.delete(data.id);
        take?.(data.values ?? null);
      };
      worker.onerror = () => this.end();
      worker.postMessage(this.network.parts);
      this.worker = worker;
    } catch {
      // The page computes by itself.
    }
    return this.worker;
  }

  /** The outputs of `count` items, one after the other, at once and on the page. */
  here(values: Float32Array, count: number): Float32Array {
    return this.network.all(values, count);
  }

  /** The same from the worker; null where it does not start or fails. */
  run(values: Float32Array<ArrayBuffer>, count: number): Promise<Float32Array | null> {
    const worker = this.started();
    if (!worker) return Promise.resolve(null);
    const id = this.next++;
    return new Promise((done) => {
      this.waiting.set(id, done);
      const asked: Asked = { id, values, count };
      worker.postMessage(asked, [values.buffer]);
    });
  }

  end(): void {
    this.worker?.terminate();
    this.worker = null;
    for (const take of this.waiting.values()) take(null);
    this.waiting.clear();
  }
}
