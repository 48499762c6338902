/** Makes a file of a film, frame after frame: between two of them the page sees to whatever else there is to do. */

import { cpuContext } from "../canvas";
import type { Film } from "./film";
import type { Answer, Asked, GifServer } from "./gif";
import { mp4, type Packet, type Said } from "./mp4";
import { webp } from "./webp";

export type Format = "gif" | "webp" | "mp4";

/** What a making needs beside the film. */
export interface Making {
  readonly loop: boolean;
  /** Starts a worker, where there is one. */
  readonly startWorker: (() => Worker) | null;
  /** Hears how much is done, from 0 to 1. */
  readonly progress: (share: number) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const TYPES = { gif: "image/gif", webp: "image/webp", mp4: "video/mp4" } as const;
/** So many frames, evenly chosen, are looked at for the colours of a GIF. */
const SAMPLES = 8;
/** Frames between two that need none before them. */
const KEYS = 50;
/** Microseconds, in which WebCodecs counts, of a hundredth of a second. */
const TICK = 10_000;

/** The file; rejects where it is ended before. */
export async function make(film: Film, format: Format, making: Making): Promise<Blob> {
  const bytes = await { gif, webp: moving, mp4: video }[format](film, making);
  making.signal.throwIfAborted();
  return new Blob([bytes], { type: TYPES[format] });
}

/** Waits until the page has done what waits; a timer would wait longer, most of all where nobody looks. */
const pause = (): Promise<void> =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (port1.close(), done());
    port2.postMessage(0);
  });

/** Each frame in its turn. */
async function each(
  film: Film,
  { progress, signal }: Making,
  take: (k: number) => Promise<void> | void,
): Promise<void> {
  for (let k = 0; k < film.count; k++) {
    film.paint(k);
    await take(k);
    await pause();
    signal.throwIfAborted();
    progress((k + 1) / film.count);
  }
}

const pixelsOf = ({ canvas }: Film): Uint8ClampedArray<ArrayBuffer> =>
  cpuContext(canvas).getImageData(0, 0, canvas.width, canvas.height).data;

async function gif(film: Film, making: Making): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = film.canvas;
  const asked = Math.min(SAMPLES, film.count);
  const samples = new Uint8ClampedArray(asked * 4 * width * height);
  for (let i = 0; i < asked; i++) {
    film.paint(Math.floor((i * film.count) / asked));
    samples.set(pixelsOf(film), i * 4 * width * height);
    await pause();
  }
  const maker = new GifMaker(making.startWorker);
  try {
    const { loop } = making;
    await maker.ask({ film: "begin", width, height, loop, samples, greys: film.greys }, samples.buffer);
    await each(film, making, async (k) => {
      const pixels = pixelsOf(film);
      await maker.ask({ film: "frame", pixels, hundredths: film.hundredths[k] }, pixels.buffer);
    });
    return (await maker.ask({ film: "end" })).bytes!;
  } finally {
    maker.end();
  }
}

/** Puts a GIF together in a worker; on the page where none starts. */
class GifMaker {
  private worker: Worker | null = null;
  private here: Promise<GifServer> | null = null;

  constructor(start: (() => Worker) | null) {
    try {
      this.worker = start?.() ?? null;
    } catch {
      // the page does it
    }
  }

  async ask(asked: Asked, buffer?: ArrayBuffer): Promise<Answer> {
    const answer = this.worker ? await this.askWorker(this.worker, asked, buffer) : (await this.onPage()).answer(asked);
    if (answer.failed) throw new Error(answer.failed);
    return answer;
  }

  private onPage(): Promise<GifServer> {
    return (this.here ??= import("./gif").then(({ GifServer }) => new GifServer()));
  }

  private askWorker(worker: Worker, asked: Asked, buffer?: ArrayBuffer): Promise<Answer> {
    return new Promise((done, fail) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => done(data);
      worker.onerror = (event) => fail(new Error(event.message || "the worker did not start"));
      worker.postMessage(asked, buffer ? [buffer] : []);
    });
  }

  end(): void {
    this.worker?.terminate();
  }
}

/** Of WebP. Without any loss a browser that hurries spends a bit on each pixel, also where nothing has changed. */
const QUALITY = 0.95;

/** A canvas as a WebP file; null where the browser cannot. */
async function still(canvas: HTMLCanvasElement): Promise<Uint8Array | null> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/webp", QUALITY));
  return blob?.type === TYPES.webp ? new Uint8Array(await blob.arrayBuffer()) : null;
}

/** A colour may be off by so much of 255, which nobody sees. */
const SLACK = 2;

/** What has changed since it was seen; all else is transparent, and packs to next to nothing. `seen` follows. */
export function changes(seen: Uint32Array | null, now: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  if (!seen) return now.slice();
  const near = (a: number, b: number, shift: number) =>
    Math.abs(((a >>> shift) & 255) - ((b >>> shift) & 255)) <= SLACK;
  const drawn = new Uint32Array(now.length);
  for (let i = 0; i < now.length; i++) {
    const [a, b] = [seen[i], now[i]];
    if (a === b || (near(a, b, 0) && near(a, b, 8) && near(a, b, 16))) continue;
    seen[i] = drawn[i] = b;
  }
  return drawn;
}

async function moving(film: Film, making: Making): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = film.canvas;
  const changed = document.createElement("canvas");
  [changed.width, changed.height] = [width, height];
  const frames: Uint8Array[] = [];
  let seen: Uint32Array<ArrayBuffer> | null = null;
  await each(film, making, async () => {
    const now = new Uint32Array(pixelsOf(film).buffer);
    const drawn = changes(seen, now);
    seen ??= now;
    cpuContext(changed).putImageData(new ImageData(new Uint8ClampedArray(drawn.buffer), width, height), 0, 0);
    const file = await still(changed);
    if (!file) throw new Error("this browser makes no WebP");
    frames.push(file);
  });
  return webp(frames, width, height, film.hundredths, making.loop);
}

/** H.264 first, which everything plays; VP9 is what browsers without it have. */
const CODECS = ["avc1.640028", "avc1.4d0028", "avc1.420028", "vp09.00.40.08"];

async function video(film: Film, making: Making): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = film.canvas;
  const rate = (100 * film.count) / film.hundredths.reduce((a, b) => a + b, 0);
  for (const codec of CODECS) {
    const encoder = await Encoder.of(codec, width, height, rate);
    if (!encoder) continue;
    let time = 0;
    try {
      await each(film, making, async (k) => {
        await encoder.add(film.canvas, time, film.hundredths[k], k % KEYS === 0);
        time += film.hundredths[k];
      });
      const packets = await encoder.end();
      return mp4(packets, width, height, encoder.said!);
    } finally {
      encoder.close();
    }
  }
  throw new Error("this browser makes no MP4");
}

class Encoder {
  said: Said | null = null;
  private readonly packets: Packet[] = [];
  /** Of each frame by its time: encoders may forget them. */
  private readonly durations = new Map<number, number>();
  private failed: Error | null = null;
  private readonly encoder: VideoEncoder;

  private constructor(configuration: VideoEncoderConfig) {
    this.encoder = new VideoEncoder({
      output: (chunk, about) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        const time = Math.round(chunk.timestamp / TICK);
        this.packets.push({ bytes, key: chunk.type === "key", time, duration: this.durations.get(time)! });
        const { codec, description, colorSpace } = about?.decoderConfig ?? {};
        if (!codec) return;
        this.said ??= { codec, description: bytesOf(description), colours: colorSpace ?? {} };
      },
      error: (error) => (this.failed = error),
    });
    this.encoder.configure(configuration);
  }

  /** Null where the browser cannot. */
  static async of(codec: string, width: number, height: number, framerate: number): Promise<Encoder | null> {
    if (typeof VideoEncoder === "undefined") return null;
    const bitrate = Math.max(500_000, width * height * framerate * 0.2); // edges of points and letters stay sharp
    const configuration = { codec, width, height, framerate, bitrate };
    const known = await VideoEncoder.isConfigSupported(configuration).catch(() => null);
    return known?.supported ? new Encoder(configuration) : null;
  }

  async add(canvas: HTMLCanvasElement, time: number, duration: number, keyFrame: boolean): Promise<void> {
    this.durations.set(time, duration);
    const frame = new VideoFrame(canvas, { timestamp: time * TICK, duration: duration * TICK });
    this.encoder.encode(frame, { keyFrame });
    frame.close();
    while (this.encoder.encodeQueueSize > 4 && !this.failed) await pause();
    if (this.failed) throw this.failed;
  }

  async end(): Promise<readonly Packet[]> {
    await this.encoder.flush();
    if (this.failed) throw this.failed;
    return this.packets;
  }

  close(): void {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array | null {
  if (!source) return null;
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

/** Which formats this browser really makes: it says so of some that it then does not. */
export async function formats(): Promise<Format[]> {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  cpuContext(canvas).fillRect(0, 0, 32, 32);
  const [picture, film] = await Promise.all([still(canvas), tried(canvas)]);
  return ["gif", ...(picture ? (["webp"] as const) : []), ...(film ? (["mp4"] as const) : [])];
}

/** Whether two frames become packets that a file can hold. */
async function tried(canvas: HTMLCanvasElement): Promise<boolean> {
  for (const codec of CODECS)
    try {
      const encoder = await Encoder.of(codec, canvas.width, canvas.height, 10);
      if (!encoder) continue;
      await encoder.add(canvas, 0, 10, true);
      await encoder.add(canvas, 10, 10, false);
      const packets = await encoder.end();
      encoder.close();
      if (packets.length === 2 && packets[0].key && encoder.said) return true;
    } catch {
      // the next
    }
  return false;
}
