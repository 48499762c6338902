/** The decoder at the pace of frames, and the encoder when somebody draws. */

import type { RunCard } from "./card";
import type { Cause } from "./cause";
import { AskedDecoder, type Ask } from "./network/asked";
import { Many } from "./network/many";
import { Network } from "./network/network";
import type { Painter } from "./paint";
import type { RunFolder } from "./run";

/** Past so many measures the oldest are dropped: the browser keeps them for ever otherwise. */
const MAX_MEASURES = 20000;
const DECODE = "explorer:decode",
  LATENCY = "explorer:latency";

export interface DecodingListener {
  /** The newest code has become these values: paint them. */
  decoded(values: Float32Array): void;
  /** What depends on the code beside its picture: after each decode, and at each change while there is no decoder. */
  present(): void;
}

export class Decoding {
  decoder: Network | null = null;
  /** What the decoder made of the code last. */
  decoded: Float32Array | null = null;
  /** In place of it, where a notebook's kernel decodes. */
  readonly asked: AskedDecoder | null = null;
  private readonly loading: Promise<Network | null>;
  private inWorker: Many | null = null;
  private encoding: Promise<Network> | null = null;
  /** The input whose code is still to be decoded. */
  private pending: Cause | null = null;
  /** Inputs whose pictures are painted and not yet on the screen. */
  private readonly painted: Cause[] = [];
  private decodedThisFrame = false;
  private frame = 0;
  private ended = false;

  private code = new Float32Array(0);
  private listener: DecodingListener | null = null;

  /** Starts to fetch the decoder. ask: what decodes in place of it; failed: hears why it did not. */
  constructor(
    private readonly folder: RunFolder,
    private readonly card: RunCard,
    private readonly painter: Painter,
    private readonly startWorker: () => Worker,
    ask: Ask | null,
    failed: (error: unknown) => void,
  ) {
    if (ask) this.asked = new AskedDecoder(ask, painter, failed);
    this.loading = ask ? Promise.resolve(null) : Network.load(folder, card, "decoder");
    this.loading.catch(() => undefined); // a failure is reported where it is awaited
  }

  /** `code` is the array whose numbers are decoded at each request. */
  connect(code: Float32Array<ArrayBuffer>, listener: DecodingListener): void {
    this.code = code;
    this.listener = listener;
  }

  /** Waits until codes can be decoded. */
  async load(): Promise<void> {
    const decoder = await this.loading;
    if (!this.ended) this.decoder = decoder;
  }

  /** Whether codes can be decoded. */
  get ready(): boolean {
    return (this.decoder ?? this.asked) !== null;
  }

  /** The encoder is fetched by the first who draws. */
  encoder(): Promise<Network> {
    this.encoding ??= Network.load(this.folder, this.card, "encoder").catch((error: unknown) => {
      this.encoding = null;
      throw error;
    });
    return this.encoding;
  }

  /** The decoder for many codes at once; null until it has arrived. */
  many(): Many | null {
    if (this.decoder && !this.ended) this.inWorker ??= new Many(this.decoder, this.startWorker);
    return this.inWorker;
  }

  /** The decoder has learnt: it has these weights now. What was made of the old ones ends where it `rests`. */
  renew(bytes: Uint8Array<ArrayBuffer>, rests: boolean): void {
    this.decoder?.renew(bytes);
    if (!rests) return;
    this.encoding = null;
    this.inWorker?.end();
    this.inWorker = null;
  }

  /** The code has changed. `cause` is the input it comes from; null at the start, before anything was touched. */
  request(cause: Cause | null): void {
    this.pending = cause ?? this.pending;
    if (!this.ready) this.listener?.present();
    else if (!this.decodedThisFrame) this.decode();
    this.frame ||= requestAnimationFrame(this.nextFrame);
  }

  /** One decode per frame, always of the newest code. */
  private decode(): void {
    const cause = this.pending;
    if (!cause || !this.ready || this.ended) return;
    this.pending = null;
    this.decodedThisFrame = true;
    // The same array each time: nothing is thrown away under the pointer.
    if (this.decoder) this.take(this.decoder.run(this.code, this.decoded ?? undefined), cause);
    else this.asked!.newest(this.code, (values) => this.take(values, cause));
    this.listener?.present();
  }

  private take(values: Float32Array, cause: Cause): void {
    this.decoded = values;
    this.listener?.decoded(values);
    measure(DECODE, cause.begun);
    this.painted.push(cause);
    if (this.decoder) return;
    this.listener?.present(); // what was shown beside the code was of the sample before
    this.frame ||= requestAnimationFrame(this.nextFrame);
  }

  private readonly nextFrame = (): void => {
    this.frame = 0;
    this.decodedThisFrame = false;
    for (const cause of this.painted) measure(LATENCY, cause.stamp);
    this.painted.length = 0;
    if (!this.pending) return;
    this.decode();
    this.frame ||= requestAnimationFrame(this.nextFrame);
  };

  /** Paints what is decoded from a code; returns it. Null while there is no decoder, or where it answers later. */
  paint(code: Float32Array, canvas: HTMLCanvasElement): Float32Array | null {
    this.asked?.paint(code, canvas);
    if (!this.decoder || this.ended) return null;
    const values = this.decoder.run(code);
    this.painter.paint(canvas, values);
    return values;
  }

  end(): void {
    this.ended = true;
    cancelAnimationFrame(this.frame);
    this.inWorker?.end();
    this.asked?.end();
  }
}

let measured = 0;
function measure(name: string, start: number): void {
  performance.measure(name, { start, end: performance.now() });
  if (++measured < MAX_MEASURES) return;
  measured = 0;
  performance.clearMeasures(DECODE);
  performance.clearMeasures(LATENCY);
}
