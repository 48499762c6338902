/** Bytes as text: 13 bits are two of 91 letters, up to six at the end are one. models/blocks.py writes it (`as_text`). */

/** The letters from # to }, where ! stands for < and ~ for \\: the text of a script may hold them all. */
const valueOf = (letter: number): number => (letter === 33 ? 25 : letter === 126 ? 57 : letter - 35);

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(((text.length >> 1) * 13 + (text.length & 1) * 6) >> 3);
  for (let i = 0, at = 0, held = 0, bits = 0; i < text.length; i += 2) {
    held |= (valueOf(text.charCodeAt(i)) + 91 * valueOf(text.charCodeAt(i + 1) || 35)) << bits;
    for (bits += 13; bits > 7 && at < out.length; bits -= 8, held >>>= 8) out[at++] = held;
  }
  return out;
}
