/** Where kernels run: in WebAssembly or, where its SIMD is missing, in JavaScript. */

import type { Kernels } from "./kernels";
import { KERNELS } from "./kernels.wasm";
import { plain } from "./plain";

export interface Machine {
  readonly kernels: Kernels;
  readonly memory: Float32Array<ArrayBuffer>;
}

const PAGE = 65536;

let compiled: Promise<WebAssembly.Module | null> | null = null;

/** The kernels, compiled once; null where this browser has no WebAssembly with SIMD, or may not use it. */
function wasm(): Promise<WebAssembly.Module | null> {
  compiled ??= (async () => {
    const bytes = new Uint8Array(KERNELS.length / 2);
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(KERNELS.slice(2 * i, 2 * i + 2), 16);
    return await WebAssembly.compile(bytes);
  })().catch(() => null);
  return compiled;
}

/** A machine with room for so many bytes. `simd` false takes the JavaScript, which tests do. */
export async function machine(bytes: number, simd = true): Promise<Machine> {
  const module = simd ? await wasm() : null;
  if (!module) {
    const memory = new Float32Array(Math.ceil(bytes / 4));
    return { kernels: plain(memory), memory };
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  return { kernels: instance.exports as unknown as Kernels, memory: new Float32Array(memory.buffer) };
}
