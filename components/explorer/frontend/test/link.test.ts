import { describe, expect, test, vi } from "vitest";
import { Link, Shared, type Side } from "../src/link";
import { finder } from "../src/maths";
import { State } from "../src/state";

/** Codes of two numbers: `index` and ten times that, plus `offset`, so that the codes of no two sides are equal. */
const side = (rows: number[] | null, count: number, offset: number, frame = "own"): Side => {
  const codeOf = (index: number) => [index + offset, 10 * index];
  const codes = Float32Array.from(Array.from({ length: count }, (_, i) => codeOf(i)).flat());
  return {
    state: new State(2),
    rows,
    count,
    codeOf,
    nearest: (code, k, accepts) => finder(codes, 2).nearest(code, k, accepts ?? undefined),
    reach: 6,
    frame: () => frame,
  };
};

const pair = () => {
  const a = side(null, 5, 0),
    b = side([4, 2, 0, 9], 4, 100);
  return { a, b, link: new Link([a, b]) };
};

describe("explorers of one dataset", () => {
  test("they share the rows that all have", () => {
    const shared = new Shared([side(null, 5, 0), side([4, 2, 0, 9], 4, 0), side([2, 4], 2, 0)]);
    expect(shared.positions.map((positions) => [...positions])).toEqual([
      [2, 4],
      [1, 0],
      [0, 1],
    ]);
    expect([shared.translate(0, 1, 4), shared.translate(1, 2, 1), shared.translate(1, 0, 2)]).toEqual([0, 0, -1]);
  });

  test("the marker stands at the same row in all, at each one's own code", () => {
    const sides = [side(null, 5, 0), side([4, 2, 0, 9], 4, 100), side([2, 4, 0], 3, 200)];
    new Link(sides);
    const [a, b, c] = sides;
    a.state.set("pinned", true);
    a.state.setCode(a.codeOf(2), 2);
    for (const [other, index] of [
      [b, 1],
      [c, 0],
    ] as const)
      expect([other.state.now.picked, [...other.state.now.code], other.state.now.pinned]).toEqual([
        index,
        other.codeOf(index),
        true,
      ]);
    b.state.setCode(b.codeOf(0), 0);
    expect([a.state.now.picked, c.state.now.picked]).toEqual([4, 1]);
    expect([a.state.now.led?.sample, b.state.now.led]).toEqual([4, null]);
  });

  test("a code between samples goes to the mean of their codes, by one over the squared distance", () => {
    const { a, b } = pair();
    // Rows 0 and 2 are shared; from (0.5, 5) the first is a third as far as the second.
    a.state.setCode([0.5, 5], null);
    const weights = [1 / 0.5 ** 2, 1 / 1.5 ** 2, 1 / 3.5 ** 2]; // rows 0, 2 and 4, all along one line
    const theirs = [b.codeOf(2), b.codeOf(1), b.codeOf(0)];
    const sum = weights[0] + weights[1] + weights[2];
    [0, 1].forEach((d) =>
      expect(b.state.now.code[d]).toBeCloseTo(
        weights.reduce((total, weight, i) => total + weight * theirs[i][d], 0) / sum,
        4,
      ),
    );
    expect([b.state.now.picked, b.state.now.led]).toEqual([null, { sample: 2, away: false }]);
    expect(a.state.now.picked).toBeNull(); // it does not come back
  });

  test("exactly on a sample it is exactly that sample", () => {
    const { a, b } = pair();
    a.state.setCode(a.codeOf(4), null);
    expect([b.state.now.picked, [...b.state.now.code]]).toEqual([0, [100, 0]]);
  });

  test("far from all samples the others are told that there is no place for it", () => {
    const { a, b } = pair();
    a.state.setCode([50, -80], null);
    expect(b.state.now.led?.away).toBe(true);
    a.state.setCode(a.codeOf(0), 0);
    expect(b.state.now.led?.away).toBe(false);
  });

  test("a selection names the same rows, without a shape", () => {
    const { a, b } = pair();
    a.state.set("selection", { samples: Int32Array.of(0, 1, 4), polygon: [0, 0, 1, 0, 1, 1] });
    expect(b.state.now.selection).toEqual({ samples: Int32Array.of(2, 0), polygon: null });
    b.state.set("selection", null);
    expect(a.state.now.selection).toBeNull();
  });

  test("hidden classes are hidden in all", () => {
    const { a, b } = pair();
    b.state.set("hidden", new Set([3, -1]));
    expect([...a.state.now.hidden]).toEqual([3, -1]);
  });

  test("what is chosen to be drawn is drawn on all, or on each its own", () => {
    const { a, b, link } = pair();
    a.state.set("colour", "error");
    expect(b.state.now.colour).toBe("error");
    link.together = false;
    b.state.set("layer", "density");
    expect(a.state.now.layer).toBe("none");
    link.gather();
    expect(b.state.now).toMatchObject({ layer: "none", colour: "error" });
  });

  test("cameras follow where the maps have the same coordinates, and keep their own windows", () => {
    const small = { cx: 0, cy: 0, sx: 1, sy: 1, width: 200, height: 100 };
    const large = { cx: 5, cy: -1, sx: 40, sy: 20, width: 400, height: 300 };
    const [a, b, c] = [side(null, 5, 0, "aligned"), side(null, 5, 0, "aligned"), side(null, 5, 0, "own")];
    for (const { state } of [b, c]) state.set("camera", small);
    new Link([a, b, c]);
    a.state.set("camera", large);
    expect(b.state.now.camera).toEqual({ cx: 5, cy: -1, sx: 20, sy: 10, width: 200, height: 100 });
    expect(c.state.now.camera).toBe(small);
  });

  test("nothing goes round: each side hears of a change once", () => {
    const { a, b } = pair();
    const heard = { a: vi.fn(), b: vi.fn() };
    a.state.subscribe(["code", "selection", "hidden"], heard.a);
    b.state.subscribe(["code", "selection", "hidden"], heard.b);
    a.state.setCode(a.codeOf(4), 4);
    expect([heard.a.mock.calls.length, heard.b.mock.calls.length]).toEqual([1, 1]);
  });

  test("after the end nothing follows", () => {
    const { a, b, link } = pair();
    link.end();
    a.state.setCode(a.codeOf(4), 4);
    b.state.set("hidden", new Set([1]));
    expect([b.state.now.picked, a.state.now.hidden.size]).toEqual([null, 0]);
  });
});
