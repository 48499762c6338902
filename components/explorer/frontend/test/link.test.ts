import { describe, expect, test, vi } from "vitest";
import { link, type Side } from "../src/link";
import { State } from "../src/state";

/** Codes of two numbers: `index` and ten times that, plus `offset`, so that both sides' codes differ. */
const side = (rows: number[] | null, count: number, offset: number): Side => ({
  state: new State(2),
  rows,
  count,
  codeOf: (index) => [index + offset, 10 * index],
});

const pair = () => {
  const a = side(null, 5, 0),
    b = side([4, 2, 0, 9], 4, 100);
  return { a, b, unlink: link(a, b) };
};

describe("two explorers of one dataset", () => {
  test("the marker stands at the same row in both, at each one's own code", () => {
    const { a, b } = pair();
    a.state.set("pinned", true);
    a.state.setCode(a.codeOf(2), 2);
    expect([b.state.now.picked, [...b.state.now.code], b.state.now.pinned]).toEqual([1, [101, 10], true]);
    b.state.setCode(b.codeOf(0), 0);
    expect([a.state.now.picked, [...a.state.now.code]]).toEqual([4, [4, 40]]);
  });

  test("what the pointer is over in one is shown in the other", () => {
    const { a, b } = pair();
    a.state.setCode([1.9, 19], null);
    a.state.set("hover", 0);
    expect([b.state.now.picked, b.state.now.pinned]).toEqual([2, false]);
    expect(a.state.now.picked).toBeNull(); // it does not come back
  });

  test("a row that the other side has not leaves its marker where it is", () => {
    const { a, b } = pair();
    a.state.setCode(a.codeOf(2), 2);
    a.state.setCode(a.codeOf(3), 3);
    expect(b.state.now.picked).toBe(1);
    b.state.setCode(b.codeOf(3), 3); // row 9 of a side with five codes
    expect(a.state.now.picked).toBe(3);
  });

  test("a selection names the same rows, without a shape", () => {
    const { a, b } = pair();
    a.state.set("selection", { samples: Int32Array.of(0, 1, 4), polygon: [0, 0, 1, 0, 1, 1] });
    expect(b.state.now.selection).toEqual({ samples: Int32Array.of(2, 0), polygon: null });
    b.state.set("selection", null);
    expect(a.state.now.selection).toBeNull();
  });

  test("hidden classes are hidden in both", () => {
    const { a, b } = pair();
    b.state.set("hidden", new Set([3, -1]));
    expect([...a.state.now.hidden]).toEqual([3, -1]);
  });

  test("cameras follow where the planes agree, and keep their own windows", () => {
    const { a, b } = pair();
    const small = { cx: 0, cy: 0, sx: 1, sy: 1, width: 200, height: 100 };
    b.state.set("camera", small);
    a.state.set("plane", "z1,z2");
    a.state.set("camera", { cx: 3, cy: -1, sx: 40, sy: 20, width: 400, height: 300 });
    expect(b.state.now.camera).toBe(small);
    b.state.set("plane", "z1,z2");
    a.state.set("camera", { cx: 5, cy: -1, sx: 40, sy: 20, width: 400, height: 300 });
    expect(b.state.now.camera).toEqual({ cx: 5, cy: -1, sx: 20, sy: 10, width: 200, height: 100 });
  });

  test("nothing goes round: each side hears of a change once", () => {
    const { a, b } = pair();
    const heard = { a: vi.fn(), b: vi.fn() };
    a.state.subscribe(["code", "selection", "hidden"], heard.a);
    b.state.subscribe(["code", "selection", "hidden"], heard.b);
    a.state.setCode(a.codeOf(4), 4);
    expect([heard.a.mock.calls.length, heard.b.mock.calls.length]).toEqual([1, 1]);
  });

  test("after unlinking nothing follows", () => {
    const { a, b, unlink } = pair();
    unlink();
    a.state.setCode(a.codeOf(4), 4);
    b.state.set("hidden", new Set([1]));
    expect([b.state.now.picked, a.state.now.hidden.size]).toEqual([null, 0]);
  });
});
