/**
 * Laying one picture of samples upon another: turned, mirrored, scaled and moved so that the same samples come to lie as
 * near to each other as they can (Procrustes analysis: Gower 1975, Goodall 1991).
 */

import type { Point } from "./camera";
import type { Plane } from "./planes";

/** (x, y) becomes (a x + b y + tx, c x + d y + ty). */
export interface Placement {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly tx: number;
  readonly ty: number;
}

export interface Alignment extends Placement {
  /** What remains: the share of the variance of `to` that does not fit, 0 to 1. */
  readonly residual: number;
}

export const moved = ({ a, b, c, d, tx, ty }: Placement, x: number, y: number): Point => [
  a * x + b * y + tx,
  c * x + d * y + ty,
];

/** The placement that takes back what `placement` did. */
export function inverse({ a, b, c, d, tx, ty }: Placement): Placement {
  const k = 1 / (a * d - b * c);
  const [e, f, g, h] = [d * k, -b * k, -c * k, a * k];
  return { a: e, b: f, c: g, d: h, tx: -(e * tx + f * ty), ty: -(g * tx + h * ty) };
}

/** All of x, y, x, y, … placed anew. */
export function placed(placement: Placement, xy: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const { a, b, c, d, tx, ty } = placement;
  const out = new Float32Array(xy.length);
  for (let i = 0; i + 1 < xy.length; i += 2) {
    out[i] = a * xy[i] + b * xy[i + 1] + tx;
    out[i + 1] = c * xy[i] + d * xy[i + 1] + ty;
  }
  return out;
}

/**
 * How `from` is best laid upon `to`: points i of both belong together (x, y, x, y, …). Pairs that are not finite do not
 * count. Null where fewer than two places are left on either side: nothing could be turned.
 *
 * With both centred, the best rotation or reflection is that of the polar decomposition of their 2 x 2 covariance M. For
 * 2 x 2 it needs no iteration: rotations give M00 + M11 and M01 - M10 as the cosine and sine part, reflections M00 - M11
 * and M01 + M10; the longer of the two wins. Both pictures get the same spread: the scale of least squares would draw
 * unlike ones as dots.
 */
export function align(from: ArrayLike<number>, to: ArrayLike<number>): Alignment | null {
  const count = Math.min(from.length, to.length) / 2;
  let n = 0;
  const sum = [0, 0, 0, 0];
  const isFinite = (i: number) => Number.isFinite(from[2 * i] + from[2 * i + 1] + to[2 * i] + to[2 * i + 1]);
  for (let i = 0; i < count; i++) {
    if (!isFinite(i)) continue;
    n++;
    sum[0] += from[2 * i];
    sum[1] += from[2 * i + 1];
    sum[2] += to[2 * i];
    sum[3] += to[2 * i + 1];
  }
  if (n < 2) return null;
  const [fx, fy, gx, gy] = sum.map((value) => value / n);
  let [m00, m01, m10, m11, ff, gg] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    if (!isFinite(i)) continue;
    const x = from[2 * i] - fx,
      y = from[2 * i + 1] - fy,
      u = to[2 * i] - gx,
      v = to[2 * i + 1] - gy;
    m00 += x * u;
    m01 += x * v;
    m10 += y * u;
    m11 += y * v;
    ff += x * x + y * y;
    gg += u * u + v * v;
  }
  if (!(ff > 0) || !(gg > 0)) return null;
  const turn = Math.hypot(m00 + m11, m01 - m10),
    mirror = Math.hypot(m00 - m11, m01 + m10);
  const length = Math.max(turn, mirror);
  if (!(length > 0)) return null;
  const scale = Math.sqrt(gg / ff);
  const [cos, sin] =
    turn >= mirror ? [(m00 + m11) / length, (m01 - m10) / length] : [(m00 - m11) / length, (m01 + m10) / length];
  const flip = turn >= mirror ? 1 : -1;
  const [a, b, c, d] = [scale * cos, -flip * scale * sin, scale * sin, flip * scale * cos];
  return {
    a,
    b,
    c,
    d,
    tx: gx - (a * fx + b * fy),
    ty: gy - (c * fx + d * fy),
    residual: Math.max(0, 1 - (length * length) / (ff * gg)),
  };
}

/** The plane in its new place. Its axes are turned, and have lost their names. */
export function placedPlane(plane: Plane, placement: Placement): Plane {
  const back = inverse(placement);
  const { move } = plane;
  return {
    ...plane,
    axes: ["", ""],
    xy: placed(placement, plane.xy),
    place: (code) => {
      const at = plane.place(code);
      return at && moved(placement, at[0], at[1]);
    },
    move: move && ((code, x, y, out) => move(code, ...moved(back, x, y), out)),
  };
}
