/** Reading a run's files. They are checked here, and every fault becomes a sentence. */

import { checkCard, objectOf, type Json, type RunCard } from "./card";
import { Fault, MissingFile, RELOAD } from "./fault";
import type { Source } from "./source";

export class RunFolder {
  constructor(private readonly source: Source) {}

  /** A file, unpacked; `expected` is how many bytes it then has to have, where that is known. */
  async bytes(name: string, expected?: number): Promise<Uint8Array<ArrayBuffer>> {
    const packed = await this.source.bytes(name);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await unpacked(packed);
    } catch {
      throw new Fault(`the file ${name} of this run broke off on its way or cannot be unpacked`, RELOAD);
    }
    if (expected !== undefined && bytes.byteLength !== expected)
      throw new Fault(
        `the file ${name} of this run has ${bytes.byteLength.toLocaleString("en")} bytes instead of ${expected.toLocaleString("en")}`,
        RELOAD,
      );
    return bytes;
  }

  /** The same for a file that a run need not have: null where it has none. */
  async optionalBytes(name: string, expected?: number): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      return await this.bytes(name, expected);
    } catch (error) {
      if (error instanceof MissingFile) return null;
      throw error;
    }
  }

  async card(): Promise<RunCard> {
    const parsed = await this.json("run.json");
    // The table of columns may be as large as the samples are wide: it has a file of its own.
    const separate = objectOf(objectOf(parsed)["files"])["columns.json"] !== undefined;
    return checkCard(parsed, separate ? await this.json("columns.json") : undefined);
  }

  /** The layers of encoder and decoder. Runs from before they stood in run.json have them in a file of their own. */
  async layers(card: RunCard): Promise<Json> {
    return objectOf(card.architecture.layers ?? (await this.json("layers.json")));
  }

  private json = async (name: string): Promise<unknown> => this.parsed(name, await this.bytes(name));

  /** The same for JSON that a run need not have: null where it has none. */
  async optionalJson(name: string): Promise<unknown> {
    const bytes = await this.optionalBytes(name);
    return bytes && this.parsed(name, bytes);
  }

  private parsed(name: string, bytes: Uint8Array): unknown {
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
      if (error instanceof SyntaxError) throw new Fault(`the file ${name} of this run is not JSON`, RELOAD);
      throw error;
    }
  }

  async floats(name: string, count: number): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array((await this.bytes(name, 4 * count)).buffer);
  }

  async integers(name: string, count: number): Promise<Int32Array<ArrayBuffer>> {
    return new Int32Array((await this.bytes(name, 4 * count)).buffer);
  }
}

/** Gzipped bytes unpacked, others as they are: whether a server or the file itself was compressed is then the same. */
export async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** How many codes have a number that is not finite. Such codes are shown nowhere and are nobody's neighbour. */
export function brokenCodes(values: Float32Array, size: number): number {
  let broken = 0;
  for (let at = 0; at < values.length; at += size) {
    for (let d = 0; d < size; d++)
      if (!Number.isFinite(values[at + d])) {
        broken++;
        break;
      }
  }
  return broken;
}
