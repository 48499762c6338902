/** Many items through a network, in a worker: the page stays free. Where no worker starts, the page computes them itself. */

import type { Network } from "./network";
import type { Answered, Asked } from "./serve";

export class Many {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, (values: Float32Array | null) => void>();
  private next = 0;

  constructor(
    private readonly network: Network,
    /** Starts the worker; a function, since each host has its code elsewhere. */
    start: () => Worker,
  ) {
    try {
      const worker = start();
      worker.onmessage = ({ data }: MessageEvent<Answered>) => {
        const take = this.waiting.get(data.id);
        this.waiting.delete(data.id);
        take?.(data.values ?? null);
      };
      worker.onerror = () => this.end();
      worker.postMessage(network.parts);
      this.worker = worker;
    } catch {
      this.worker = null;
    }
  }

  /** Whether the page has to compute by itself, so that little should be asked at once. */
  get onPage(): boolean {
    return this.worker === null;
  }

  /** The outputs of `count` items, one after the other; null where that failed. */
  run(values: Float32Array<ArrayBuffer>, count: number): Promise<Float32Array | null> {
    const { worker, network } = this;
    if (!worker) {
      const each = values.length / count,
        out = new Float32Array(count * network.size);
      for (let i = 0; i < count; i++) out.set(network.run(values.subarray(i * each, (i + 1) * each)), i * network.size);
      return Promise.resolve(out);
    }
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
