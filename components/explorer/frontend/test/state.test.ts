import { expect, test, vi } from "vitest";
import { State } from "../src/state";

test("listeners hear of what they follow, once for each change, and no longer than they want to", () => {
  const state = new State(2, { colour: "error" });
  const heard = vi.fn();
  const end = state.subscribe(["colour", "points"], heard);
  state.set("colour", "error"); // as it was
  state.set("layer", "density");
  expect(heard).not.toHaveBeenCalled();
  state.set("colour", "plain");
  state.set("points", false);
  expect(heard).toHaveBeenCalledTimes(2);
  end();
  state.set("points", true);
  expect(heard).toHaveBeenCalledTimes(2);
  expect(state.now).toMatchObject({ colour: "plain", points: true, layer: "density" });
});

test("the code is overwritten in place, and the sample that it belongs to changes with it", () => {
  const state = new State(2);
  const { code } = state.now;
  let seen: unknown = null;
  state.subscribe(["code"], () => (seen = [[...state.now.code], state.now.picked]));
  state.setCode([1, 2], 7);
  expect(seen).toEqual([[1, 2], 7]);
  state.setCode(Float32Array.of(3, 4), null);
  expect(seen).toEqual([[3, 4], null]);
  expect(state.now.code).toBe(code);
});
