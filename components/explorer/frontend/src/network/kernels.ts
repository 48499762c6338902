/** What computes: functions on one memory of float32. Addresses and distances are in bytes; kernels/index.ts says what each does. */

export interface Kernels {
  multiply(
    x: number,
    xLine: number,
    xRow: number,
    segments: number,
    length: number,
    segment: number,
    w: number,
    b: number,
    y: number,
    yLine: number,
    yRow: number,
    height: number,
    rows: number,
    panels: number,
  ): void;
  relu(x: number, lines: number, line: number, count: number): void;
  logistic(x: number, lines: number, line: number, count: number): void;
  gelu(x: number, lines: number, line: number, count: number): void;
  normalise(x: number, lines: number, line: number, count: number, w: number, b: number): void;
  normaliseGroups(
    x: number,
    line: number,
    pixel: number,
    height: number,
    width: number,
    channels: number,
    wide: number,
    groups: number,
    w: number,
    b: number,
    scratch: number,
  ): void;
  pool(
    x: number,
    xLine: number,
    xPixel: number,
    y: number,
    yLine: number,
    yPixel: number,
    height: number,
    width: number,
    channels: number,
  ): void;
  copy(
    x: number,
    y: number,
    n0: number,
    n1: number,
    n2: number,
    x0: number,
    x1: number,
    x2: number,
    y0: number,
    y1: number,
    y2: number,
  ): void;
  add(x: number, y: number, count: number): void;
  lstm(given: number, recalled: number, cell: number, state: number, units: number): void;
  gru(given: number, recalled: number, before: number, state: number, units: number): void;
}

/** The address of the first value that may be used: what the compiler laid into the memory itself lies below. */
export const FIRST = 1024;
