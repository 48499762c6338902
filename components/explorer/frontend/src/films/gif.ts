/**
 * A film as GIF, put together in a worker. All frames share one table of colours; what stays as it was is transparent,
 * which packs to next to nothing.
 */

/*! gifenc 1.0.3, MIT License, Copyright (c) 2017 Matt DesLauriers, https://github.com/mattdesl/gifenc/blob/master/LICENSE.md */
import { applyPalette, GIFEncoder, quantize } from "gifenc/dist/gifenc.esm.js";
import { messageOf } from "../fault";

/** What a worker is asked. `samples` are frames from which the colours are taken. */
export type Asked =
  | {
      readonly film: "begin";
      readonly width: number;
      readonly height: number;
      readonly loop: boolean;
      readonly samples: Uint8ClampedArray;
      /** Whether much of it is grey: greys keep their shades then, and take no tint from other colours. */
      readonly greys: boolean;
    }
  | { readonly film: "frame"; readonly pixels: Uint8ClampedArray; readonly hundredths: number }
  | { readonly film: "end" };
/** What it answers to each. */
export interface Answer {
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly failed?: string;
}

/** Shades of grey, where there are many: no two further apart than 4. */
const GREYS = 64;

export class Gif {
  private readonly encoder = GIFEncoder();
  private readonly palette: number[][];
  private before: Uint8Array | null = null;

  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly loop: boolean,
    samples: Uint8ClampedArray,
    greys: boolean,
  ) {
    const ramp = Array.from({ length: greys ? GREYS : 0 }, (_, i) =>
      new Array<number>(3).fill(Math.round((255 * i) / (GREYS - 1))),
    );
    this.palette = [...ramp, ...quantize(samples, 255 - ramp.length)];
  }

  add(pixels: Uint8ClampedArray, hundredths: number): void {
    const { before, palette, width, height } = this;
    const same = palette.length;
    const now = applyPalette(pixels, palette);
    const written = before ? now.map((colour, i) => (colour === before[i] ? same : colour)) : now;
    this.encoder.writeFrame(written, width, height, {
      palette: before ? undefined : [...palette, [0, 0, 0]],
      delay: 10 * hundredths,
      repeat: this.loop ? 0 : -1,
      transparent: before !== null,
      transparentIndex: same,
      dispose: 1, // what is there stays there
    });
    this.before = now;
  }

  end(): Uint8Array<ArrayBuffer> {
    this.encoder.finish();
    return this.encoder.bytes();
  }
}

/** Answers what is asked of a worker. */
export class GifServer {
  private gif: Gif | null = null;

  answer(asked: Asked): Answer {
    try {
      if (asked.film === "begin") this.gif = new Gif(asked.width, asked.height, asked.loop, asked.samples, asked.greys);
      else if (asked.film === "frame") this.gif!.add(asked.pixels, asked.hundredths);
      else return { bytes: this.gif!.end() };
      return {};
    } catch (error) {
      return { failed: messageOf(error) };
    }
  }
}
