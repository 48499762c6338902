/** Paths between codes, and arithmetic with them. */

export const lerp = (a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float32Array =>
  Float32Array.from({ length: a.length }, (_, d) => a[d] + (b[d] - a[d]) * t);

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
};

export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d] - b[d]) ** 2;
  return Math.sqrt(sum);
};

/**
 * Along the great arc (Shoemake 1985), as usual for codes drawn around the origin: samples of a normal lie on a
 * shell, and a straight line leaves it. Where the arc is undefined (a zero code, or opposite ones) the line is taken.
 */
export function slerp(a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float32Array {
  const na = Math.sqrt(dot(a, a)),
    nb = Math.sqrt(dot(b, b));
  const angle = na && nb ? Math.acos(Math.max(-1, Math.min(1, dot(a, b) / (na * nb)))) : 0;
  const sine = Math.sin(angle);
  if (sine < 1e-6) return lerp(a, b, t);
  // Direction turns evenly and length changes evenly, so that the arc between unequal lengths does not bulge.
  const wa = Math.sin((1 - t) * angle) / sine,
    wb = Math.sin(t * angle) / sine;
  const length = na + (nb - na) * t;
  return Float32Array.from({ length: a.length }, (_, d) => length * ((wa * a[d]) / na + (wb * b[d]) / nb));
}

/** Where a walk through the codes is at t in [0, 1], with equal speed on all legs. */
export function pointOnPath(codes: readonly ArrayLike<number>[], t: number, spherical: boolean): Float32Array {
  if (codes.length === 1) return Float32Array.from(codes[0]);
  const legs = codes.slice(1).map((code, i) => distance(codes[i], code));
  const total = legs.reduce((a, b) => a + b, 0);
  let left = Math.max(0, Math.min(1, t)) * total;
  let leg = 0;
  while (leg < legs.length - 1 && left > legs[leg]) left -= legs[leg++];
  const share = legs[leg] ? Math.min(1, left / legs[leg]) : 0;
  return (spherical ? slerp : lerp)(codes[leg], codes[leg + 1], share);
}

/** a + b - c, and the clearer reading of it: b, moved by what leads from c to a. */
export const addAndSubtract = (a: ArrayLike<number>, b: ArrayLike<number>, c: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: a.length }, (_, d) => a[d] + b[d] - c[d]);

/** What a stop of a path is called: A, B, C, … */
export const stopName = (i: number): string => (i < 26 ? String.fromCharCode(65 + i) : String(i + 1));
