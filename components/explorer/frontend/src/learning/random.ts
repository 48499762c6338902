/** Random numbers that are the same for the same seed. */

export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 1;
  private spare = NaN;

  constructor(seed: number) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 random bits (Chris Doty-Humphrey's sfc32). */
  bits(): number {
    const sum = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 to below 1. */
  share(): number {
    return this.bits() / 2 ** 32;
  }

  /** Normally distributed (Box and Muller 1958). */
  normal(): number {
    if (!Number.isNaN(this.spare)) {
      const spare = this.spare;
      this.spare = NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.share())),
      angle = 2 * Math.PI * this.share();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Puts the numbers into another order. */
  shuffle(numbers: Int32Array | Uint32Array): void {
    for (let i = numbers.length - 1; i > 0; i--) {
      const j = Math.floor(this.share() * (i + 1)),
        held = numbers[i];
      numbers[i] = numbers[j];
      numbers[j] = held;
    }
  }
}

/** So many numbers that lie as a normal distribution has them, with mean 0 and variance 1. */
export function normals(count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  const step = 1e-4;
  let sum = 0,
    squares = 0;
  for (let x = -6, share = 0, k = 0; k < count && x < 6; x += step) {
    share += (step * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
    while (k < count && share > (k + 0.5) / count) out[k++] = x;
  }
  for (const x of out) sum += x;
  for (let k = 0; k < count; k++) squares += (out[k] -= sum / count) ** 2;
  for (let k = 0; k < count; k++) out[k] /= Math.sqrt(squares / count);
  return out;
}
