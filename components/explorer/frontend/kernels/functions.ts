/** Functions of four values at a time, which the kernels of index.ts and of learning.ts share. */

/** e to the power of each: 2^n times a polynomial in what remains (Cephes, expf). */
export function exponential(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87.33)), f32x4.splat(88.37));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
  let sum = f32x4.splat(1.98756915e-4);
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.3981999507e-3));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(8.3334519073e-3));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(4.1665795894e-2));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.6666665459e-1));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(5.0000001201e-1));
  sum = f32x4.add(f32x4.add(f32x4.mul(sum, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(sum, power);
}

export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

export function tanh(x: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.splat(2), sigmoid(f32x4.mul(f32x4.splat(2), x))), f32x4.splat(1));
}

/** The error function as a quotient of polynomials in x squared, which is 1 to within float32 beyond 4. */
export function erf(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-4)), f32x4.splat(4));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-2.72614225801306e-10);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.77068142495902e-8));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-2.10102402082508e-6));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.69250639462346e-5));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-7.34990630326855e-4));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-2.95459980854025e-3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.60960333262415e-2));
  let q = f32x4.splat(-1.45660718464996e-5);
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-2.13374055278905e-4));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-1.68282697438203e-3));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-7.37332916720468e-3));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-1.42647390514189e-2));
  return f32x4.div(f32x4.mul(x, p), q);
}

export function total(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}
