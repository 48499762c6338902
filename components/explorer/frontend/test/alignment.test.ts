import { describe, expect, test } from "vitest";
import { align, axisPlane, inverse, moved, placed, placedPlane, scanner, sharesKept } from "../src/maths";
import { neighbourhoods } from "../src/compare/neighbourhoods";
import { Products } from "../src/products";

const scattered = (count: number, seed = 1): Float32Array => {
  let state = seed;
  /** Mulberry32. */
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length: 2 * count }, () => next() * 4 - 1);
};
/** Turned by `angle`, mirrored where `flip` is -1, scaled, moved. */
const byHand = (xy: Float32Array, angle: number, flip: number, scale: number): Float32Array =>
  placed(
    {
      a: scale * Math.cos(angle),
      b: -flip * scale * Math.sin(angle),
      c: scale * Math.sin(angle),
      d: flip * scale * Math.cos(angle),
      tx: 3,
      ty: -7,
    },
    xy,
  );

describe("one map laid upon another", () => {
  test.each([
    [0.7, 1, 1],
    [2.9, 1, 0.3],
    [-1.2, -1, 5],
    [0, -1, 1],
  ])("what was turned by %f, mirrored by %i and scaled by %f comes back", (angle, flip, scale) => {
    const to = scattered(500),
      from = byHand(to, angle, flip, scale);
    const found = align(from, to)!;
    expect(found.residual).toBeLessThan(1e-9);
    placed(found, from).forEach((value, i) => expect(Math.abs(value - to[i])).toBeLessThan(1e-4));
  });

  test("unrelated maps leave nearly all of the variance, noise its own share", () => {
    const to = scattered(4000);
    expect(align(scattered(4000, 99), to)!.residual).toBeGreaterThan(0.95);
    const noise = scattered(4000, 7);
    // Equal variances: half of what is seen is noise.
    const noisy = to.map((value, i) => value + noise[i]);
    expect(align(noisy, to)!.residual).toBeCloseTo(0.5, 1);
  });

  test("pairs without a place do not count, and points in one place cannot be turned", () => {
    const to = scattered(50),
      from = byHand(to, 1, 1, 2);
    from[10] = NaN;
    expect(align(from, to)!.residual).toBeLessThan(1e-9);
    expect(align(new Float32Array(20), to)).toBeNull();
  });

  test("a placed plane finds codes where its points are now", () => {
    const codes = scattered(20),
      placement = align(codes, byHand(codes, 0.4, -1, 2))!;
    const plane = placedPlane(axisPlane(codes, 2, 0, 1), placement);
    const code = codes.subarray(6, 8),
      at = plane.place(code)!;
    expect(at[0]).toBeCloseTo(plane.xy[6], 4);
    expect([...plane.move!(code, ...at)].map((v, d) => Math.abs(v - code[d]) < 1e-5)).toEqual([true, true]);
    const [x, y] = moved(inverse(placement), ...moved(placement, 3, 4));
    expect([x, y].map((v) => Math.round(1e6 * v) / 1e6)).toEqual([3, 4]);
  });
});

describe("neighbours kept", () => {
  test("all of them where a map is only turned, and by chance few in an unrelated one", async () => {
    const codes = scattered(400);
    const own = (await neighbourhoods(codes, 2, 15, () => false))!;
    const turned = (await neighbourhoods(byHand(codes, 1, -1, 3), 2, 15, () => false))!;
    const other = (await neighbourhoods(scattered(400, 5), 2, 15, () => false))!;
    const mean = (shares: Float32Array) => shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean(sharesKept(own, turned, 15))).toBeGreaterThan(0.999);
    expect(mean(sharesKept(own, other, 15))).toBeCloseTo(15 / 399, 1);
    expect(own.slice(0, 15)).not.toContain(0);
  });

  test("a sample that moved alone loses its neighbours, the others keep most of theirs", async () => {
    const codes = scattered(200),
      after = codes.slice();
    after.set([90, 90], 0);
    const [a, b] = [await neighbourhoods(codes, 2, 5, () => false), await neighbourhoods(after, 2, 5, () => false)];
    const shares = sharesKept(a!, b!, 5);
    expect(shares[0]).toBeLessThan(0.5);
    expect(shares.slice(1).filter((share) => share >= 0.8).length).toBeGreaterThan(190);
  });

  test("of codes of many numbers, too", async () => {
    const size = 7,
      codes = scattered(3500).map((value) => 100 + value);
    const found = (await neighbourhoods(codes, size, 15, () => false))!;
    const nearest = scanner(codes, size);
    for (const i of [0, 123, 999]) {
      const expected = nearest.nearest(codes.subarray(i * size, (i + 1) * size), 16).slice(1);
      expect([...found.subarray(15 * i, 15 * (i + 1))]).toEqual(expected.map((one) => one.index));
    }
  });

  test("by products they are those of a scan, at the same distance", async () => {
    const size = 7,
      codes = scattered(3500, 3).map((value) => 50 + value);
    codes[7 * 40] = NaN; // is nobody's neighbour
    const [products, scan] = [await Products.of(codes, size), scanner(codes, size)];
    for (const accepts of [undefined, (index: number) => index % 3 === 0])
      for (const i of [1, 500]) {
        const code = codes.slice(i * size, (i + 1) * size).map((value) => value + 0.01);
        expect(products.nearest(code, 8, accepts)).toEqual(scan.nearest(code, 8, accepts));
      }
  });

  test("it ends when it is called off", async () => {
    expect(await neighbourhoods(scattered(20000), 2, 15, () => true)).toBeNull();
  });
});
