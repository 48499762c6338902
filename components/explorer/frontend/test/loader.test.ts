import { afterEach, beforeEach, expect, test, vi } from "vitest";

const module = { show: vi.fn(), remove: vi.fn() };
type Loader = (call: object) => () => void;

/** The loader anew, for a module at an address that exists or not. */
async function loader(exists = true): Promise<Loader> {
  vi.resetModules();
  vi.stubGlobal("loaded", module);
  const code = "export const show = (...a) => loaded.show(...a), remove = (...a) => loaded.remove(...a);";
  const address = exists ? `data:text/javascript,${encodeURIComponent(code)}` : "data:text/javascript,}";
  vi.stubGlobal("document", { baseURI: "http://app/" });
  vi.stubGlobal(
    "URL",
    class {
      href = address;
    },
  );
  return ((await import("../src/hosts/streamlit-loader")) as { default: Loader }).default;
}

const call = (parentElement: object, data: unknown = 1) => ({
  parentElement,
  data: [data],
  setStateValue: "state",
  setTriggerValue: "trigger",
});
const settled = () => new Promise((later) => setTimeout(later, 20));

beforeEach(() => void [module.show.mockClear(), module.remove.mockClear()]);
afterEach(() => vi.unstubAllGlobals());

test("the module is shown with what Streamlit hands over, and removed by the clean-up", async () => {
  const run = await loader(),
    host = {};
  const clean = run(call(host, "data"));
  await settled();
  expect(module.show.mock.calls).toEqual([[host, "data", "state", "trigger"]]);
  clean();
  expect(module.remove.mock.calls).toEqual([[host]]);
});

test("only the newest call shows and cleans up", async () => {
  const run = await loader(),
    host = {};
  const first = run(call(host, "first"));
  const second = run(call(host, "second"));
  first();
  await settled();
  expect(module.show.mock.calls.map((args: unknown[]) => args[1])).toEqual(["second"]);
  first();
  expect(module.remove).not.toHaveBeenCalled();
  second();
  expect(module.remove).toHaveBeenCalledTimes(1);
});

test("where it cannot be fetched, a sentence says so", async () => {
  const run = await loader(false),
    host = { textContent: "" };
  run(call(host));
  await settled();
  expect(host.textContent).toContain("A part of this page could not be fetched (");
  expect(host.textContent).toContain("Reload the page.");
});
