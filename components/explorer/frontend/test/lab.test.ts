import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Json } from "../src/card";
import type { RunFolder } from "../src/run";
import { Showing, type LabView } from "../src/labs/lab";

/** What of a page the base of labs touches. */
const element = () => ({
  dataset: {} as Record<string, string>,
  setAttribute: () => undefined,
  append: () => undefined,
});
let colour = "black";
const reported: LabView[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("document", { createElement: element });
  vi.stubGlobal("getComputedStyle", () => ({ color: colour, backgroundColor: "", getPropertyValue: () => "" }));
  reported.length = 0;
  colour = "black";
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Shows the id of an answer, which comes when `come` is called. */
class Named extends Showing<string> {
  readonly did: string[] = [];
  readonly come = new Map<string, () => void>();
  constructor() {
    super(element() as unknown as HTMLElement, {
      folder: {} as RunFolder,
      report: (view) => reported.push(view),
    });
  }
  protected read(data: Json): Promise<string> {
    const id = String(data["id"]);
    return new Promise((done) => this.come.set(id, () => done(id)));
  }
  protected open(answer: string): void {
    this.did.push(answer);
  }
  protected view(): LabView {
    return { shown: this.did.at(-1) ?? "" };
  }
  protected override inked(): void {
    this.did.push("inked");
  }
}

test("an answer that comes late does not replace the one that was asked for after it", async () => {
  const lab = new Named();
  lab.update({ id: "old" }, {});
  lab.update({ id: "new" }, {});
  lab.come.get("new")?.();
  await vi.advanceTimersByTimeAsync(0);
  lab.come.get("old")?.();
  await vi.advanceTimersByTimeAsync(500);
  expect(lab.did).toEqual(["new"]);
  expect(reported).toEqual([{ shown: "new" }]);
});

test("the same answer and view are shown once, and painted anew where the page has another ink", async () => {
  const lab = new Named();
  lab.update({ id: "a" }, {});
  lab.come.get("a")?.();
  await vi.advanceTimersByTimeAsync(0);
  lab.update({ id: "a" }, {});
  expect(lab.did).toEqual(["a"]);
  colour = "white";
  lab.update({ id: "a" }, {});
  lab.update({ id: "a" }, {});
  expect(lab.did).toEqual(["a", "inked"]);
  await vi.advanceTimersByTimeAsync(500);
  expect(reported).toEqual([]); // nothing was done by hand, and nothing else was asked for
});

test("what has ended neither shows nor reports anything", async () => {
  const lab = new Named();
  for (const id of ["a", "b"]) {
    lab.update({ id }, {});
    lab.come.get(id)?.();
    await vi.advanceTimersByTimeAsync(0);
  }
  lab.update({ id: "c" }, {});
  lab.end();
  lab.come.get("c")?.();
  await vi.advanceTimersByTimeAsync(500);
  expect(lab.did).toEqual(["a", "b"]);
  expect(reported).toEqual([]);
});
