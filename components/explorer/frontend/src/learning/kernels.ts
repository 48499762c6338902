/** What a network learns with: functions on one memory, see kernels/learning.ts. Addresses and distances are in bytes. */

import { assembled } from "../network/machine";
import { PLAIN, RELAXED } from "./kernels.wasm";

type Slope = (x: number, y: number, dy: number, count: number) => void;
type Each = (x: number, y: number, count: number) => void;

export interface Kernels {
  forward(
    x: number,
    xRow: number,
    inputs: number,
    w: number,
    panel: number,
    panels: number,
    b: number,
    y: number,
    yRow: number,
    rows: number,
  ): void;
  turn(w: number, panel: number, panels: number, inputs: number, to: number, toPanel: number): void;
  gradient(
    x: number,
    xRow: number,
    inputs: number,
    dy: number,
    dyRow: number,
    dw: number,
    panel: number,
    panels: number,
    db: number,
    rows: number,
  ): void;
  readonly relu: Each;
  readonly reluSlope: Slope;
  readonly logistic: Each;
  readonly logisticSlope: Slope;
  readonly gelu: Each;
  readonly geluSlope: Slope;
  normalise(x: number, y: number, row: number, scales: number, w: number, b: number, count: number, rows: number): void;
  normaliseSlope(
    x: number,
    dy: number,
    row: number,
    scales: number,
    w: number,
    dw: number,
    db: number,
    count: number,
    rows: number,
  ): void;
  difference(y: number, yRow: number, x: number, xRow: number, d: number, count: number, rows: number): number;
  times(x: number, number: number, count: number): void;
  adam(
    w: number,
    g: number,
    m: number,
    v: number,
    count: number,
    rate: number,
    root: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
  widen(x: number, y: number, count: number): void;
  addNoise(x: number, count: number, level: number, within: boolean, state: number, normals: number): void;
  mask(x: number, pixels: number, channels: number, level: number, state: number): void;
}

export interface Machine {
  readonly kernels: Kernels;
  readonly floats: Float32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
}

/** Whether this browser has what the kernels need: WebAssembly with SIMD, and leave to use it. */
export const able = async (): Promise<boolean> => (await module()) !== null;

const module = async (): Promise<WebAssembly.Module | null> => (await assembled(RELAXED)) ?? (await assembled(PLAIN));

/** Kernels on a memory of so many bytes. An Error where the browser cannot compute them, or has not so much. */
export async function machine(size: number): Promise<Machine> {
  const found = await module();
  if (!found) throw new Error("this browser has no WebAssembly with SIMD, which training needs");
  const memory = new WebAssembly.Memory({ initial: Math.ceil(size / 65536) });
  const { exports } = await WebAssembly.instantiate(found, { env: { memory } });
  const buffer = memory.buffer;
  return {
    kernels: exports as unknown as Kernels,
    floats: new Float32Array(buffer),
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
  };
}

const LINE = 64; // bytes that a processor fetches at once

/**
 * The distance between rows of so many bytes: an odd number of lines, since rows that are a power of two apart meet in the
 * same few places of a processor's cache.
 */
export function apart(bytes: number): number {
  if (bytes <= LINE) return Math.ceil(bytes / 32) * 32;
  const lines = Math.ceil(bytes / LINE);
  return LINE * (lines + 1 - (lines % 2));
}

/** Hands out places in a memory that is made afterwards. */
export class Arena {
  private end = 1024; // what the compiler laid into the memory itself lies below

  /** Room for so many bytes. */
  room(bytes: number): number {
    const at = this.end;
    this.end += Math.ceil(bytes / LINE) * LINE;
    return at;
  }

  get size(): number {
    return this.end + LINE;
  }
}
