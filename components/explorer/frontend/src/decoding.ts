/** The decoder at the pace of frames, and the encoder when somebody draws. */

import type { RunCard } from "./card";
import type { Cause } from "./cause";
import { Fault, messageOf } from "./fault";
import { Network } from "./network";
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
  failed(error: unknown): void;
}

export class Decoding {
  decoder: Network | null = null;
  /** What the decoder made of the code last. */
  decoded: Float32Array | null = null;
  private readonly weights: Promise<Uint8Array>;
  private readonly loading: Promise<Network>;
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

  /** Starts to fetch the decoder. */
  constructor(
    private readonly folder: RunFolder,
    private readonly card: RunCard,
    private readonly painter: Painter,
  ) {
    this.weights = folder.bytes("weights.safetensors", card.files["weights.safetensors"]?.bytes);
    this.loading = Network.load(folder, card, "decoder", this.weights);
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
    if (this.ended) decoder.release();
    else this.decoder = decoder;
  }

  /** The encoder is fetched by the first who draws. */
  encoder(): Promise<Network> {
    this.encoding ??= Network.load(this.folder, this.card, "encoder", this.weights).catch((error: unknown) => {
      this.encoding = null;
      throw error;
    });
    return this.encoding;
  }

  /** The code has changed. `cause` is the input it comes from; null at the start, before anything was touched. */
  request(cause: Cause | null): void {
    this.pending = cause ?? this.pending;
    if (!this.decoder) this.listener?.present();
    else if (!this.decodedThisFrame) void this.decode();
    this.frame ||= requestAnimationFrame(this.nextFrame);
  }

  /** One decode per frame, always of the newest code. */
  private async decode(): Promise<void> {
    const cause = this.pending;
    if (!cause || !this.decoder || this.ended) return;
    let values: Float32Array | null;
    try {
      values = await this.decoder.run(this.code, 1);
    } catch (error) {
      this.pending = null; // asking again at every frame would fail at every frame
      this.listener?.failed(
        new Fault(`the decoder failed on this code (${messageOf(error).slice(0, 160)})`, "reload the page"),
      );
      return;
    }
    if (!values || this.ended) return; // busy with a layer's slice: the next frame asks again
    if (this.pending === cause) this.pending = null; // what was asked for meanwhile is still to be decoded
    this.decodedThisFrame = true;
    this.decoded = values;
    this.listener?.decoded(values);
    measure(DECODE, cause.begun);
    this.painted.push(cause);
    this.listener?.present();
  }

  private readonly nextFrame = (): void => {
    this.frame = 0;
    this.decodedThisFrame = false;
    for (const cause of this.painted) measure(LATENCY, cause.stamp);
    this.painted.length = 0;
    if (!this.pending) return;
    void this.decode();
    this.frame ||= requestAnimationFrame(this.nextFrame);
  };

  /** Paints what is decoded from a code, as soon as the decoder is free. Null when it is no longer wanted. */
  async paint(code: Float32Array, canvas: HTMLCanvasElement, isWanted = () => true): Promise<Float32Array | null> {
    for (let tries = 0; tries < 50 && this.decoder && !this.ended; tries++) {
      const values = await this.decoder.run(code, 1).catch(() => null);
      if (!isWanted()) return null;
      if (values) {
        this.painter.paint(canvas, values);
        return values;
      }
      await new Promise((later) => setTimeout(later, 4));
    }
    return null;
  }

  end(): void {
    this.ended = true;
    cancelAnimationFrame(this.frame);
    this.decoder?.release();
    void this.encoding?.then(
      (network) => network.release(),
      () => undefined,
    );
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
