/**
 * The explorer in a notebook, by anywidget. Its kernel has the files of the run and, where no decoder is among them that a
 * browser computes, decodes: it is asked by messages, each with a number that its answer carries.
 */

import { causeNow } from "../cause";
import { h } from "../dom";
import { Explorer } from "../explorer";
import { Fault, MissingFile } from "../fault";
import { Link, sideOf, type Side } from "../link";
import type { Ask } from "../network/asked";
import { Network } from "../network/network";
import DecoderWorker from "../network/worker?worker&inline";
import { RunFolder } from "../run";
import type { Scene } from "../scene";
import type { Source } from "../source";
import { css } from "../styles";
import type { Report, View } from "../view";
import notebook from "./anywidget.css?inline";

/** What the widget in Python keeps in step with the one here: traits of `hourglass.Explorer`. */
interface Traits {
  /** The code that is shown. */
  code: readonly number[];
  /** Rows of the dataset inside the lasso. */
  selection: readonly number[];
  /** Who decodes: the run here, the kernel, or the run where it gives what the kernel gives. */
  _decodes: "here" | "kernel" | "either";
  _view: View;
  /** Widgets with the same one are linked; "" of one that stands alone. */
  _group: string;
  _height: number;
}

interface Model {
  get<K extends keyof Traits>(name: K): Traits[K];
  set<K extends keyof Traits>(name: K, value: Traits[K]): void;
  save_changes(): void;
  send(message: object): void;
  on(name: string, listener: (...args: never[]) => void): void;
  off(name: string, listener: (...args: never[]) => void): void;
}

interface Answer {
  readonly id: string;
  readonly failed?: string;
  readonly missing?: boolean;
}

/** Milliseconds between two codes that Python is told of while the hand moves. */
const TOLD = 100;
/** Milliseconds after which it is said that the kernel does not answer. */
const PATIENCE = 4000;
/**
 * Milliseconds after a question at which the kernel's server is sent a word while the answer is not here. Its socket holds an
 * answer back until the browser has acknowledged what came before it (Nagle 1984), which a browser that says nothing does 40
 * milliseconds later: whatever it sends carries that. With a client that only asks, 49 ms to an answer become 13.
 */
const NUDGES = [5, 15];
/** How far a number of a picture may be from the kernel's, of 0 to 1, for both to be the same decoder. */
const ALIKE = 2e-3;

/** Asks the kernel, and waits for its answers. */
class Kernel implements Source {
  private readonly waiting = new Map<
    string,
    { done(bytes: Uint8Array<ArrayBuffer>): void; fail(error: Error): void }
  >();
  private readonly name = crypto.randomUUID();
  private count = 0;

  constructor(private readonly model: Model) {
    model.on("msg:custom", this.answered);
  }

  private readonly answered = ({ id, failed, missing }: Answer, buffers: readonly DataView[]): void => {
    const one = this.waiting.get(id);
    if (!one) return; // of another view of the same widget
    this.waiting.delete(id);
    if (failed !== undefined) {
      const advice = missing ? "run the cell again" : "call it in a cell with this code to see where";
      return one.fail(new (missing ? MissingFile : Fault)(failed, advice));
    }
    const [{ buffer, byteOffset, byteLength }] = buffers;
    one.done(new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer));
  };

  private ask(message: object): Promise<Uint8Array<ArrayBuffer>> {
    const id = `${this.name}:${this.count++}`;
    const answer = new Promise<Uint8Array<ArrayBuffer>>((done, fail) => this.waiting.set(id, { done, fail }));
    this.model.send({ ...message, id });
    return answer;
  }

  bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.ask({ type: "bytes", name });
  }

  readonly decode: Ask = async (codes, count) => {
    const answer = this.ask({ type: "decode", count, codes: Array.from(codes) });
    const timers = NUDGES.map((wait) => setTimeout(() => this.model.send({ type: "waiting" }), wait));
    try {
      return new Float32Array((await answer).buffer);
    } finally {
      timers.forEach(clearTimeout);
    }
  };

  end(): void {
    this.model.off("msg:custom", this.answered);
    this.waiting.clear();
  }
}

/** Null where the run's own decoder draws; otherwise who does. */
async function asked(kernel: Kernel, which: Traits["_decodes"]): Promise<Ask | null> {
  if (which !== "either") return which === "here" ? null : kernel.decode;
  try {
    const folder = new RunFolder(kernel);
    const card = await folder.card();
    const network = await Network.load(folder, card, "decoder");
    const code = Float32Array.from(card.codes.mean);
    const [ours, theirs] = [network.run(code), await kernel.decode(code, 1)];
    if (ours.every((value, i) => Math.abs(value - theirs[i]) <= ALIKE)) return null;
  } catch (error) {
    console.info("Hourglass: the kernel decodes,", error);
  }
  return kernel.decode;
}

/** A scene that is joined with those of other widgets. */
interface Joined {
  readonly scene: Scene;
  readonly rows: Int32Array | null;
}

/** Every widget is a module of its own: what they share is here. */
const groups = ((globalThis as { hourglassLinks?: Map<string, Group> }).hourglassLinks ??= new Map<string, Group>());

interface Group {
  readonly members: Set<Joined>;
  link: Link | null;
}

/** Joins a scene with the others of its group. Returns what takes it out again. */
function join(name: string, one: Joined): () => void {
  if (!name) return () => undefined;
  const group = groups.get(name) ?? { members: new Set<Joined>(), link: null };
  groups.set(name, group);
  const renew = (): void => {
    group.link?.end();
    const sides = [...group.members].map(({ scene, rows }, i): Side => sideOf(scene, rows, () => String(i)));
    group.link = sides.length > 1 ? new Link(sides) : null;
    if (group.link) group.link.together = false; // colours and tools are each widget's own
    // What one of them has selected already is selected in all.
    const leader = [...group.members].find(({ scene }) => scene.state.now.selection)?.scene.state;
    if (leader?.now.selection) leader.set("selection", { ...leader.now.selection });
  };
  group.members.add(one);
  renew();
  return () => {
    group.members.delete(one);
    renew();
  };
}

/** Colours of the notebook change with its theme: by an attribute or a class of one of these. */
function onTheme(changed: () => void): () => void {
  const watcher = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body])
    watcher.observe(element, {
      attributes: true,
      attributeFilter: ["class", "style", "data-theme", "data-jp-theme-name"],
    });
  return () => watcher.disconnect();
}

function render({ model, el }: { readonly model: Model; readonly el: HTMLElement }): () => void {
  el.classList.add("hourglass-notebook");
  el.style.setProperty("--height", `${model.get("_height")}px`);
  el.dataset["lmSuppressShortcuts"] = "true"; // JupyterLab's keys are not meant for what stands here
  for (const name of ["keydown", "keypress", "keyup"]) el.addEventListener(name, (event) => event.stopPropagation());
  // Inside the element it reaches the explorer wherever a notebook puts that, into a shadow root too.
  const style = document.createElement("style");
  style.textContent = css + notebook;
  el.replaceChildren(style);

  const kernel = new Kernel(model);
  const note = h("p", { role: "status" }, "The kernel does not answer yet. It does when no cell is running.");
  const patience = setTimeout(() => el.prepend(note), PATIENCE);
  const here = (): void => {
    clearTimeout(patience);
    note.remove();
  };
  const ends: (() => void)[] = [() => kernel.end(), here];
  let ended = false;
  void asked(kernel, model.get("_decodes")).then((ask) => {
    if (!ended) ends.push(begin(model, el, kernel, ask, here));
  });
  return () => {
    ended = true;
    for (const end of ends.reverse()) end();
  };
}

/** Shows the run, and tells `here` when it is there. Returns what ends that. */
function begin(model: Model, el: HTMLElement, kernel: Kernel, ask: Ask | null, here: () => void): () => void {
  const ends: (() => void)[] = [];
  const view = (): View => ({ ...model.get("_view"), code: model.get("code") });
  const report: Report = (name, value) => {
    if (name !== "view") return; // code and selection are told as they change
    model.set("_view", value as View);
    model.save_changes();
  };
  /** The code of which both sides know. */
  let told = model.get("code");
  const explorer = new Explorer(el, {
    source: kernel,
    run: "",
    view: { ...view(), free: true },
    report,
    startWorker: () => new DecoderWorker(),
    ask,
    opened: (scene) => {
      here();
      void follow(scene);
    },
  });

  /** Keeps code and selection in step with Python's. */
  async function follow(scene: Scene): Promise<void> {
    const rows = await scene.data.rows().catch(() => null);
    const { state } = scene;
    let timer = 0;
    const tell = (): void => {
      timer = 0;
      told = Array.from(state.now.code, (v) => Number(v.toPrecision(7)));
      model.set("code", told);
      model.save_changes();
    };
    ends.push(
      state.subscribe(["code"], () => (timer ||= window.setTimeout(tell, TOLD))),
      state.subscribe(["selection"], () => {
        const selected = Array.from(state.now.selection?.samples ?? [], (i) => rows?.[i] ?? i);
        model.set("selection", selected);
        model.save_changes();
      }),
      () => clearTimeout(timer),
    );
    const codeSet = (): void => {
      const code = model.get("code");
      if (timer || code === told || code.every((v, d) => v === told[d])) return;
      told = code;
      scene.setCode(code, causeNow());
    };
    /** Rows that Python selects light up; those that the lasso has just told are there already. */
    const selected = (): void => {
      const wanted = new Set(model.get("selection"));
      const known = state.now.selection?.samples ?? new Int32Array(0);
      if (known.length === wanted.size && known.every((i) => wanted.has(rows?.[i] ?? i))) return;
      const samples = Int32Array.from({ length: scene.card.codes.count }, (_, i) => i).filter((i) =>
        wanted.has(rows?.[i] ?? i),
      );
      state.set("selection", wanted.size ? { samples, polygon: null } : null);
    };
    model.on("change:code", codeSet);
    model.on("change:selection", selected);
    let leave = join(model.get("_group"), { scene, rows });
    const regrouped = (): void => {
      leave();
      leave = join(model.get("_group"), { scene, rows });
    };
    codeSet(); // while this was opened
    if (model.get("selection").length) selected();
    model.on("change:_group", regrouped);
    ends.push(
      () => model.off("change:code", codeSet),
      () => model.off("change:selection", selected),
      () => model.off("change:_group", regrouped),
      () => leave(),
    );
  }
  ends.push(
    onTheme(() => explorer.update(view(), report)),
    () => explorer.end(),
  );
  return () => ends.reverse().forEach((end) => end());
}

export default { render };
