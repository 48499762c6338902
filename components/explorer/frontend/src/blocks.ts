/**
 * A run inside the page: its files as blocks of text (letters.ts), made smaller where that costs little. They stand in the document
 * or, where several pages share them, in scripts that call `hourglass.run(name, blocks)`.
 */

import { objectOf } from "./card";
import { cpuContext } from "./canvas";
import { bytesOf } from "./letters";
import { MissingFile, RELOAD } from "./fault";
import { unpacked } from "./run";
import type { Source } from "./source";

/** How the blocks were made, and what is known of the run in words: models/pages.py writes it as page.json. */
export interface Facts {
  /** Files of float32 that are whole numbers here: from 0 to `most` between the low and the high end of each column. */
  readonly stepped: Readonly<
    Record<string, { readonly low: readonly number[]; readonly high: readonly number[]; readonly most: number }>
  >;
  /** What each dimension stands for, where that was measured; "" otherwise. */
  readonly meanings?: readonly string[];
  /** The colours of classes, as the app has them. */
  readonly palette?: readonly string[];
  /** How the page opens where its address says nothing, as that would say it. */
  readonly view?: Readonly<Record<string, string>>;
  /** The part of the main plane in which the codes lie, along each of its two directions; of runs with three or more numbers. */
  readonly plane?: { readonly low: readonly [number, number]; readonly high: readonly [number, number] };
  /** In place of a decoder: how many samples it drew ahead, at the codes of drawn.f32; what 0 and 255 of drawn.u8 stand for. */
  readonly drawn?: { readonly count: number; readonly low: number; readonly high: number };
  /** Originals side by side in one image: how many in a row, and their size (height, width, channels). */
  readonly tiles?: { readonly count: number; readonly columns: number; readonly shape: readonly number[] };
}

type Blocks = Readonly<Record<string, string>>;
const shared: Record<string, Record<string, string>> = {};

/** Lets scripts beside the page hand over the blocks of a run. */
export function takeBlocks(): void {
  const scope = globalThis as { hourglass?: { run: (name: string, blocks: Blocks) => void } };
  scope.hourglass = { run: (name, blocks) => (shared[name] = { ...shared[name], ...blocks }) };
}

export class BlockSource implements Source {
  private known: Promise<Facts> | null = null;

  /** run: the name of the run where there are several, or where scripts beside the page hand over its blocks. */
  constructor(
    private readonly document: Document,
    private readonly run = "",
  ) {}

  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    if (name === "thumbnails.u8.gz") return this.thumbnails();
    if (name.endsWith(".f32")) return this.floats(name);
    return this.block(name);
  }

  /** A block as it lies in the document. */
  private block(name: string): Uint8Array<ArrayBuffer> {
    const path = this.run ? `${this.run}/${name}` : name;
    const text = shared[this.run]?.[name] ?? this.document.querySelector(`script[data-file="${path}"]`)?.textContent;
    if (!text) throw new MissingFile(`the file ${name} of this run is not in this page`, RELOAD);
    return bytesOf(text);
  }

  facts(): Promise<Facts> {
    this.known ??= unpacked(this.block("page.json")).then(
      (bytes) => objectOf(JSON.parse(new TextDecoder().decode(bytes))) as unknown as Facts,
    );
    return this.known;
  }

  private async floats(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const range = (await this.facts()).stepped[name];
    if (!range) return this.block(name);
    const { low, high, most } = range;
    const steps = new Uint16Array((await unpacked(this.block(name))).buffer);
    const out = new Float32Array(steps.length),
      size = low.length,
      count = steps.length / size;
    // Each column lies in one piece, which compresses better.
    for (let d = 0; d < size; d++)
      for (let i = 0; i < count; i++) out[i * size + d] = low[d] + ((high[d] - low[d]) * steps[d * count + i]) / most;
    return new Uint8Array(out.buffer);
  }

  private async thumbnails(): Promise<Uint8Array<ArrayBuffer>> {
    const { tiles } = await this.facts();
    if (!tiles) return this.block("thumbnails.u8.gz"); // as they are
    const image = await createImageBitmap(new Blob([this.block("thumbnails.webp")], { type: "image/webp" }));
    const canvas = this.document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = cpuContext(canvas);
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height).data;
    const [height, width, channels] = tiles.shape,
      out = new Uint8Array(tiles.count * height * width * channels);
    let at = 0;
    for (let k = 0; k < tiles.count; k++) {
      const left = (k % tiles.columns) * width,
        top = Math.floor(k / tiles.columns) * height;
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let c = 0; c < channels; c++) out[at++] = pixels[4 * ((top + y) * image.width + left + x) + c];
    }
    return out;
  }
}
