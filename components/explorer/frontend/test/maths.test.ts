import { describe, expect, test } from "vitest";
import * as m from "../src/maths";

/** Random numbers that are the same at every run (Tommy Ettinger's mulberry32). */
function dice(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const cloud = (count: number, size: number, seed = 1): Float32Array => {
  const roll = dice(seed);
  return Float32Array.from({ length: count * size }, () => roll() + roll() + roll() - 1.5);
};
const close = (a: ArrayLike<number>, b: ArrayLike<number>, digits = 5) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], digits);
};

describe("the window onto the plane", () => {
  const camera = { cx: 2, cy: -1, sx: 30, sy: 50, width: 640, height: 400 };

  test("pixels lead to the plane and back; y grows upwards", () => {
    close(m.fromPixel(camera, ...m.toPixel(camera, 3.5, 0.25)), [3.5, 0.25]);
    close(m.toPixel(camera, 2, -1), [320, 200]);
    expect(m.toPixel(camera, 2, 0)[1]).toBeLessThan(200);
  });

  test("zooming leaves the place under the pointer where it is", () => {
    const at = m.fromPixel(camera, 100, 70);
    const closer = m.zoomAt(camera, 100, 70, 1.7);
    close(m.fromPixel(closer, 100, 70), at);
    expect(closer.sx / camera.sx).toBeCloseTo(1.7);
  });

  test("panning moves what is seen with the hand", () => {
    const at = m.fromPixel(camera, 100, 70);
    close(m.fromPixel(m.panBy(camera, 25, -10), 125, 60), at);
  });

  test("the fitted window shows the whole box and keeps circles round", () => {
    const c = m.fit([-2, 4, 0, 3], 600, 500, 20);
    for (const [x, y] of [
      [-2, 0],
      [4, 3],
    ]) {
      const [px, py] = m.toPixel(c, x, y);
      expect(px).toBeGreaterThanOrEqual(20 - 1e-9);
      expect(px).toBeLessThanOrEqual(580 + 1e-9);
      expect(py).toBeGreaterThanOrEqual(20 - 1e-9);
      expect(py).toBeLessThanOrEqual(480 + 1e-9);
    }
    expect(c.sx).toBe(c.sy);
  });

  test("a flat box is stretched, and a single point has a window", () => {
    const flat = m.fit([0, 100, 0, 1], 600, 500);
    expect(flat.sy).toBeGreaterThan(5 * flat.sx);
    for (const box of [
      [3, 3, 3, 3],
      [0.5, 0.5, -0.25, -0.25],
      [0, 0, 0, 0],
      [1e6, 1e6, 0, 0],
    ] as const) {
      const c = m.fit(box, 600, 500);
      for (const v of Object.values(c)) expect(Number.isFinite(v)).toBe(true);
      expect(m.viewOf(c)[1] - m.viewOf(c)[0]).toBeCloseTo(600 / 444, 5); // one unit and the margins
    }
  });

  test("a window of another size keeps its middle and shows what it showed", () => {
    const c = m.resized(camera, 320, 400);
    expect([c.cx, c.cy, c.sx]).toEqual([2, -1, 15]);
  });

  test("the box around points leaves out what is not finite", () => {
    expect(m.extentOf([1, 2, NaN, 9, -3, 5, Infinity, 0])).toEqual([-3, 1, 2, 5]);
    expect(m.extentOf([NaN, 1])).toEqual([-1, 1, -1, 1]);
    expect(m.extentOf([])).toEqual([-1, 1, -1, 1]);
  });
});

describe("numbers for a person", () => {
  test("ticks are round, inside, and evenly apart", () => {
    expect(m.ticks(-0.31, 0.32, 7)).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
    expect(m.ticks(0, 1000, 4)).toEqual([0, 500, 1000]);
    for (const [lo, hi, n] of [
      [-1e-5, 3e-5, 5],
      [17, 17.3, 8],
      [-4e6, 9e6, 7],
    ] as const) {
      const all = m.ticks(lo, hi, n);
      expect(all.length).toBeGreaterThanOrEqual(2);
      expect(all.length).toBeLessThanOrEqual(2 * n + 1);
      for (const v of all) expect(v >= lo && v <= hi).toBe(true);
    }
    expect(m.ticks(1, 1, 5)).toEqual([]);
    expect(m.ticks(0, NaN, 5)).toEqual([]);
    expect(Object.is(m.ticks(-1, 1, 2)[1], 0)).toBe(true); // never a minus zero
  });

  test("a number is said with a true minus, and zero without one", () => {
    expect(m.formatNumber(-1.2)).toBe("\u22121.20");
    expect(m.formatNumber(-0.001)).toBe("0.00");
    expect(m.formatNumber(0.126, 1)).toBe("0.1");
    expect(m.formatNumber(NaN)).toBe("–");
  });

  test("decimals tell neighbouring ticks apart", () => {
    expect([5, 0.5, 0.02, 0.1, 1000].map(m.decimalsFor)).toEqual([0, 1, 2, 1, 0]);
  });
});

describe("planes", () => {
  const values = cloud(50, 4);
  const code = Float32Array.of(0.1, -0.2, 0.3, -0.4);

  test("two dimensions are read and walked, the others stay", () => {
    const plane = m.axisPlane(values, 4, 2, 0);
    expect(plane.key).toBe("z3,z1");
    expect(plane.axes).toEqual(["z3", "z1"]);
    expect([plane.xy[14], plane.xy[15]]).toEqual([values[7 * 4 + 2], values[7 * 4]]);
    close(plane.place(code)!, [0.3, 0.1]);
    close(plane.move!(code, 5, 6), [6, -0.2, 5, -0.4]);
    close(code, [0.1, -0.2, 0.3, -0.4]); // what is shown is not changed in place
  });

  test("two of two dimensions are the codes themselves", () => {
    const two = cloud(20, 2);
    expect(m.axisPlane(two, 2, 0, 1).xy).toBe(two);
    close(m.axisPlane(two, 2, 1, 0).xy.slice(0, 2), [two[1], two[0]]);
  });

  test("one dimension is a line", () => {
    const plane = m.axisPlane(Float32Array.of(1, 2, 3), 1, 0, 0);
    close(plane.xy, [1, 0, 2, 0, 3, 0]);
    close(plane.move!([7], 4, 99), [4]);
  });

  const mean = [0.5, -1, 0, 2];
  const components = [
    [0.5, 0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5, -0.5],
  ] as const;

  test("the main plane: walking arrives, and what lies outside stays as it is", () => {
    const plane = m.linearPlane("pca", "", ["", ""], m.project(values, 4, mean, components), mean, components);
    const moved = plane.move!(code, 1.25, -0.5);
    close(plane.place(moved)!, [1.25, -0.5]);
    const off = (c: ArrayLike<number>, w: readonly number[]) => w.reduce((sum, v, d) => sum + v * (c[d] - mean[d]), 0);
    for (const w of [
      [0.5, 0.5, -0.5, -0.5],
      [0.5, -0.5, -0.5, 0.5],
    ])
      expect(off(moved, w)).toBeCloseTo(off(code, w), 5);
    const [x, y] = plane.place(code)!;
    close(plane.move!(code, x, y), code);
  });

  test("projecting many codes is placing each", () => {
    const plane = m.linearPlane("pca", "", ["", ""], m.project(values, 4, mean, components), mean, components);
    for (const i of [0, 13, 49])
      close(plane.place(values.subarray(4 * i, 4 * i + 4))!, plane.xy.subarray(2 * i, 2 * i + 2));
  });
});

describe("neighbours", () => {
  const brute = (values: Float32Array, size: number, code: ArrayLike<number>, k: number) =>
    Array.from({ length: values.length / size }, (_, index) => ({
      index,
      distance: m.distance(values.subarray(index * size, (index + 1) * size), code),
    }))
      .filter((one) => Number.isFinite(one.distance))
      .sort((a, b) => a.distance - b.distance || a.index - b.index)
      .slice(0, k);

  const roll = dice(9);
  for (const [size, count] of [
    [1, 300],
    [2, 3000],
    [2, 7],
    [3, 900],
    [30, 500],
  ] as const)
    test(`${count} codes of ${size} numbers: as by brute force`, () => {
      const values = cloud(count, size, size);
      const find = m.finder(values, size);
      for (let trial = 0; trial < 60; trial++) {
        const reach = trial % 3 === 0 ? 12 : 2; // far outside the data too
        const code = Array.from({ length: size }, () => (roll() - 0.5) * reach);
        const [found, expected] = [find.nearest(code, 5), brute(values, size, code, 5)];
        close(
          found.map((one) => one.distance),
          expected.map((one) => one.distance),
        );
        expect(found.map((one) => one.index)).toEqual(expected.map((one) => one.index));
      }
    });

  test("codes on a line, in one place, or broken do no harm", () => {
    const line = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? 1 : i / 10));
    expect(m.finder(line, 2).nearest([5.02, 1], 1)).toEqual(brute(line, 2, [5.02, 1], 1));
    const same = new Float32Array(200).fill(3);
    expect(
      m
        .finder(same, 2)
        .nearest([0, 3], 2)
        .map((one) => one.distance),
    ).toEqual([3, 3]);
    const broken = Float32Array.of(NaN, 0, 1, 1, 2, Infinity, 5, 5);
    for (const find of [m.finder(broken, 2), m.scanner(broken, 2)])
      expect(
        find
          .nearest([4, 4], 4)
          .map((one) => one.index)
          .slice(0, 2),
      ).toEqual([3, 1]);
    expect(m.finder(broken, 2).nearest([4, 4], 4)).toHaveLength(2);
    expect(m.finder(new Float32Array(0), 2).nearest([0, 0], 3)).toEqual([]);
    expect(m.finder(same, 2).nearest([NaN, 0], 3)).toEqual([]);
  });
});

describe("paths and arithmetic", () => {
  test("half a line is its middle; the ends are the ends", () => {
    close(m.lerp([0, 2], [4, -2], 0.5), [2, 0]);
    close(m.lerp([0, 2], [4, -2], 0), [0, 2]);
    close(m.lerp([0, 2], [4, -2], 1), [4, -2]);
  });

  test("an arc between codes of one length keeps that length and turns evenly", () => {
    const [a, b] = [
      [3, 0, 0],
      [0, 3, 0],
    ];
    for (const t of [0, 0.25, 0.5, 1]) expect(m.distance(m.slerp(a, b, t), [0, 0, 0])).toBeCloseTo(3, 5);
    close(m.slerp(a, b, 1 / 3), [3 * Math.cos(Math.PI / 6), 3 * Math.sin(Math.PI / 6), 0]);
    expect(m.distance(m.slerp([1, 0], [0, 3], 0.5), [0, 0])).toBeCloseTo(2, 5);
  });

  test("where an arc is undefined the line is taken", () => {
    close(m.slerp([0, 0], [2, 4], 0.5), [1, 2]);
    close(m.slerp([1, 1], [-1, -1], 0.25), [0.5, 0.5]);
    close(m.slerp([1, 1], [2, 2], 0.5), [1.5, 1.5]);
  });

  test("a walk has equal speed on all its legs", () => {
    const stops = [
      [0, 0],
      [3, 0],
      [3, 1],
    ];
    close(m.pointOnPath(stops, 0.375, false), [1.5, 0]);
    close(m.pointOnPath(stops, 0.75, false), [3, 0]);
    close(m.pointOnPath(stops, 0.875, false), [3, 0.5]);
    close(m.pointOnPath(stops, 1, false), [3, 1]);
    close(m.pointOnPath([[1, 2]], 0.4, false), [1, 2]);
    close(
      m.pointOnPath(
        [
          [1, 2],
          [1, 2],
        ],
        0.4,
        false,
      ),
      [1, 2],
    );
    close(
      m.pointOnPath(
        [
          [2, 0],
          [0, 2],
        ],
        0.5,
        true,
      ),
      [Math.SQRT2, Math.SQRT2],
    );
  });

  test("a + b - c", () => close(m.addAndSubtract([1, 2], [10, 20], [100, 200]), [-89, -178]));
});

describe("selection", () => {
  // A bay opens to the right between y = 1 and y = 2.
  const bay = [0, 0, 3, 0, 3, 1, 1, 1, 1, 2, 3, 2, 3, 3, 0, 3];

  test("the bay of a polygon is outside", () => {
    expect(m.inside(bay, 0.5, 1.5)).toBe(true);
    expect(m.inside(bay, 2, 1.5)).toBe(false);
    expect(m.inside(bay, 2, 0.5)).toBe(true);
    expect(m.inside(bay, 2, 2.5)).toBe(true);
    expect(m.inside(bay, 3.5, 1.5)).toBe(false);
    expect(m.inside(bay, -1, 1)).toBe(false);
  });

  test("selecting names the points inside that are not refused", () => {
    const xy = Float32Array.of(0.5, 1.5, 2, 1.5, 2, 0.5, NaN, 1, 9, 9);
    expect([...m.pointsInside(xy, bay)]).toEqual([0, 2]);
    expect([...m.pointsInside(xy, bay, (i) => i !== 0)]).toEqual([2]);
  });

  test("selecting by bands agrees with counting all edges, on a shape that crosses itself", () => {
    let seed = 1;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const polygon = Array.from({ length: 120 }, random);
    const xy = Float32Array.from({ length: 4000 }, () => 1.2 * random() - 0.1);
    const one = Array.from({ length: 2000 }, (_, i) => i).filter((i) => m.inside(polygon, xy[2 * i], xy[2 * i + 1]));
    expect(one.length).toBeGreaterThan(300);
    expect([...m.pointsInside(xy, polygon)]).toEqual(one);
  });

  test("classes are counted, those without a label last", () => {
    expect([...m.countClasses(Int32Array.of(0, 2, -1, 2, 7), [0, 1, 2, 3, 4], 3)]).toEqual([1, 0, 2, 2]);
    expect([...m.countClasses(null, [0, 1], 2)]).toEqual([0, 0, 2]);
  });
});

describe("distributions", () => {
  test("a histogram counts one dimension; what lies outside is in the outer bins", () => {
    const values = [0, 9, 0.24, 9, 0.26, 9, 1, 9, -5, 9, 7, 9, NaN, 9];
    expect([...m.histogram(values, 2, 0, 0, 1, 4)]).toEqual([3, 1, 0, 2]);
    expect([...m.histogram([3, 3, 3], 1, 0, 3, 3, 4)]).toEqual([3, 0, 0, 0]);
  });

  test("points are counted on a grid whose line 0 is at the bottom", () => {
    const grid = m.countOnGrid(Float32Array.of(0.1, 0.1, 2.9, 0.1, 2.9, 1.9, 5, 5, NaN, 0), [0, 3, 0, 2], 3, 2);
    expect([...grid]).toEqual([1, 0, 1, 0, 0, 1]);
    expect([...m.countOnGrid(Float32Array.of(0.1, 0.1), [0, 3, 0, 2], 3, 2, () => false)]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("smoothing keeps the sum, is symmetric, and does not mix up columns and lines", () => {
    const grid = new Float32Array(21 * 15);
    grid[7 * 21 + 10] = 8;
    const out = m.blur(grid, 21, 15, 1);
    expect(out.reduce((a, b) => a + b)).toBeCloseTo(8, 4);
    for (const by of [1, 2, 3]) {
      expect(out[7 * 21 + 10 - by]).toBeCloseTo(out[7 * 21 + 10 + by], 6);
      expect(out[(7 - by) * 21 + 10]).toBeCloseTo(out[7 * 21 + 10 + by], 6);
    }
    expect(out[7 * 21 + 10]).toBe(Math.max(...out));
  });

  test("the stretch of a linear decoder is the norm of its matrix, everywhere", () => {
    // f(x, y) = (2x + y, -y, 3x): the Jacobian's Frobenius norm is sqrt(4 + 1 + 1 + 9).
    const [columns, lines, dx, dy] = [4, 3, 0.5, 0.25];
    const samples = new Float32Array((columns + 1) * (lines + 1) * 3);
    for (let l = 0; l <= lines; l++)
      for (let c = 0; c <= columns; c++) {
        const [x, y] = [c * dx, l * dy];
        samples.set([2 * x + y, -y, 3 * x], 3 * (l * (columns + 1) + c));
      }
    const out = m.stretch(samples, 3, columns, lines, dx, dy);
    expect(out).toHaveLength(12);
    for (const v of out) expect(v).toBeCloseTo(Math.sqrt(15), 4);
  });

  test("quantiles of what is finite", () => {
    const values = Array.from({ length: 101 }, (_, i) => 100 - i);
    expect(m.quantiles([...values, NaN, Infinity], [0, 0.01, 0.5, 1])).toEqual([0, 1, 50, 100]);
    expect(m.quantiles([NaN], [0.5])).toEqual([0]);
  });

  test("the mean squared difference", () => {
    expect(m.meanSquaredError([1, 2, 3, 4], [1, 0, 3, 7])).toBe(13 / 4);
    expect(m.meanSquaredError([], [])).toBe(0);
  });

  test("the most used dimension comes first, equal ones in their order", () =>
    expect(m.byUse([0.5, 2, 0.5, 3])).toEqual([3, 1, 0, 2]));
});

test("neighbours that are remembered are those of the code that is asked for, as many as are asked for", () => {
  const codes = cloud(20, 3);
  const plain = m.finder(codes, 3),
    remembering = new m.Remembering(m.finder(codes, 3));
  const code = Float32Array.of(0.1, -1, 2);
  for (const [change, k] of [
    [0, 5],
    [0, 8],
    [0, 12],
    [0.5, 3],
    [0.5, 8],
  ]) {
    code[1] = change - 1;
    expect(remembering.nearest(code, k)).toEqual(plain.nearest(code, k));
  }
  expect(remembering.nearest(code, 2, (index) => index > 9)).toEqual(plain.nearest(code, 2, (index) => index > 9));
});
