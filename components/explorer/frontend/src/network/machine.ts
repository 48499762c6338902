/** Where kernels run: in WebAssembly or, where its SIMD is missing, in JavaScript. */

import type { Kernels } from "./kernels";
import { KERNELS } from "./kernels.wasm";
import { plain } from "./plain";

export interface Machine {
  readonly kernels: Kernels;
  readonly memory: Float32Array<ArrayBuffer>;
}

const PAGE = 65536;

const compiled = new Map<string, Promise<WebAssembly.Module | null>>();

/**
 * A module of kernels, which comes as hexadecimal text, compiled once; null where this browser has no WebAssembly with
 * SIMD, or may not use it.
 */
export function assembled(text: string): Promise<WebAssembly.Module | null> {
  let module = compiled.get(text);
  if (!module) {
    const bytes = new Uint8Array(text.length / 2);
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
    module = (async () => await WebAssembly.compile(bytes))().catch(() => null);
    compiled.set(text, module);
  }
  return module;
}

/** A machine with room for so many bytes. `simd` false takes the JavaScript, which tests do. */
export async function machine(bytes: number, simd = true): Promise<Machine> {
  const module = simd ? await assembled(KERNELS) : null;
  if (!module) {
    const memory = new Float32Array(Math.ceil(bytes / 4));
    return { kernels: plain(memory), memory };
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  return { kernels: instance.exports as unknown as Kernels, memory: new Float32Array(memory.buffer) };
}
