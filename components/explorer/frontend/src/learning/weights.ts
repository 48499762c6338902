/** Writing weights: a safetensors file of float32. */

import type { Parameter } from "./layers";

/** The weights of which `kept` is true, with what is known of them beside as text. */
export function writeWeights(
  weights: ReadonlyMap<string, Float32Array>,
  parameters: readonly Parameter[],
  kept: (name: string) => boolean = () => true,
  about?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const table: Record<string, unknown> = about ? { __metadata__: about } : {};
  let end = 0;
  const own = parameters.filter(({ name }) => kept(name));
  for (const { name, shape } of own) {
    const begin = end;
    end += 4 * weights.get(name)!.length;
    table[name] = { dtype: "F32", shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(table));
  const head = Math.ceil(text.length / 8) * 8; // numbers begin at a multiple of eight
  const out = new Uint8Array(8 + head + end).fill(32, 8, 8 + head);
  new DataView(out.buffer).setBigUint64(0, BigInt(head), true);
  out.set(text, 8);
  let at = 8 + head;
  for (const { name } of own) {
    const values = weights.get(name)!;
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return out;
}
