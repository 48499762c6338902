/** Reading weights: safetensors with float32, float16, or whole numbers of 8 bits times a scale for each output. */

import { objectOf } from "../card";

/** The end of the name of what a weight of whole numbers is multiplied by: one number for each of its outputs. */
const SCALE = ".scale";

export type Weights = ReadonlyMap<string, Float32Array>;

/** The float16 values of these bytes as float32 (IEEE 754). */
export function widened(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const count = bytes.byteLength >> 1,
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(count),
    bits = new Uint32Array(out.buffer);
  for (let i = 0; i < count; i++) {
    const half = view.getUint16(2 * i, true);
    const sign = (half & 0x8000) << 16,
      exponent = (half >> 10) & 31,
      fraction = half & 1023;
    if (exponent === 0) out[i] = ((sign ? -1 : 1) * fraction) / 2 ** 24;
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return out;
}

/** Every tensor of a safetensors file, in the order in which its numbers lie. An Error when it is none. */
export function readWeights(bytes: Uint8Array): Weights {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength < 8 ? 0 : Number(view.getBigUint64(0, true));
  if (length === 0 || length > bytes.byteLength - 8) throw new Error("it holds no table of weights");
  const table = objectOf(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))));
  const out = new Map<string, Float32Array>();
  for (const [name, value] of Object.entries(table)) {
    if (name === "__metadata__") continue;
    const { dtype, data_offsets } = objectOf(value);
    const [begin, end] = Array.isArray(data_offsets) ? (data_offsets as unknown[]).map(Number) : [NaN, NaN];
    if (!(begin >= 0 && end >= begin && 8 + length + end <= bytes.byteLength))
      throw new Error(`the numbers of ${name} lie outside of it`);
    const own = new Uint8Array(bytes.subarray(8 + length + begin, 8 + length + end));
    if (dtype === "F32" && own.byteLength % 4 === 0) out.set(name, new Float32Array(own.buffer));
    else if (dtype === "F16" && own.byteLength % 2 === 0) out.set(name, widened(own));
    else if (dtype === "I8") out.set(name, Float32Array.from(new Int8Array(own.buffer)));
    else throw new Error(`${name} is of type ${String(dtype)}, and float32, float16 or int8 was expected`);
  }
  for (const [name, scale] of out) {
    if (!name.endsWith(SCALE)) continue;
    const values = out.get(name.slice(0, -SCALE.length));
    if (!values || values.length % scale.length) throw new Error(`${name} scales no weight`);
    const each = values.length / scale.length;
    for (let i = 0; i < values.length; i++) values[i] *= scale[Math.floor(i / each)];
    out.delete(name);
  }
  return out;
}
