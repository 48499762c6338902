/** Pictures of WebP as one that moves: the container alone, since browsers encode single pictures. */

const text = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** The parts of a WebP file that hold its pixels, each with its name and length as it stands there. */
export function pixelsOf(file: Uint8Array): Uint8Array[] {
  if (text(file, 0) !== "RIFF" || text(file, 8) !== "WEBP")
    throw new Error("the browser gave something else than WebP");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 12; at + 8 <= file.length;) {
    const size = view.getUint32(at + 4, true),
      next = at + 8 + size + (size % 2);
    if (["ALPH", "VP8 ", "VP8L"].includes(text(file, at))) parts.push(file.subarray(at, next));
    at = next;
  }
  return parts;
}

function chunk(name: string, ...parts: (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(8 + size + (size % 2));
  out.set([...name].map((letter) => letter.charCodeAt(0)));
  new DataView(out.buffer).setUint32(4, size, true);
  let at = 8;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const three = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255];

/** `frames` are WebP files of this size: each is laid over the one before. `hundredths` is how long each is shown. */
export function webp(
  frames: readonly Uint8Array[],
  width: number,
  height: number,
  hundredths: readonly number[],
  loop: boolean,
): Uint8Array<ArrayBuffer> {
  const size = [...three(width - 1), ...three(height - 1)];
  const ANIMATED = 0x02,
    ALPHA = 0x10;
  return chunk(
    "RIFF",
    [..."WEBP"].map((letter) => letter.charCodeAt(0)),
    chunk("VP8X", [ANIMATED | ALPHA, 0, 0, 0, ...size]),
    chunk("ANIM", [0, 0, 0, 0, loop ? 0 : 1, 0]),
    ...frames.map((file, k) =>
      chunk("ANMF", [0, 0, 0, 0, 0, 0, ...size, ...three(10 * hundredths[k]), 0], ...pixelsOf(file)),
    ),
  );
}
