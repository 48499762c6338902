/** The panel of "Train again": choices, how the error falls, and the weights to take along. */

import type { Context } from "../context";
import { choice, h, setText } from "../dom";
import { messageOf } from "../fault";
import { product } from "../maths";
import { addStyles } from "../styles";
import type { Again } from "./again";
import { Curve } from "./curve";
import { Form, usual } from "./form";
import css from "./learning.css?inline";
import { able } from "./kernels";
import { lessonOf, withDrawings, type From } from "./lesson";
import { Session, type Lesson } from "./session";

/** What a filled panel is told: that it ends, and that it is opened again. */
export interface Filled {
  readonly end: () => void;
  readonly opened: () => void;
}

/** How few drawings a network can learn from alone: some of them only judge. */
const FEWEST = 4;

/** Fills the panel. */
export function fill(panel: HTMLElement, context: Context, again: Again): Filled {
  addStyles(panel, css, "hourglass-again-style");
  const { session } = again,
    { dataset, codes } = again.data.card;
  const make = (testid: string, text: string, click: () => void, title = "") =>
    h("button", { type: "button", title, data: { testid }, on: { click } }, text);
  const count = session?.lesson.positions.length ?? Math.min(5000, again.data.card.thumbnails?.count ?? codes.count);
  const begun = session?.spec ?? usual(dataset.shape, dataset.kind === "image", count);
  const form = new Form(begun, product(dataset.shape), () => update());
  const message = h("p", { class: "hg-sum", data: { testid: "again-message" } });
  // Which samples: asked once something was drawn for it.
  const begunFrom: From = fromOf(session);
  let from = begunFrom,
    offered = -1;
  const source = h("div", { class: "hg-form", hidden: true });
  const curve = new Curve();
  const main = make("again-train", "Train", () => void press());
  const step = make(
    "again-step",
    "One step",
    () => session?.ask({ learn: "step" }),
    "Learns from one batch of samples",
  );
  const reset = make("again-reset", "Reset", () => void start(false), "A new network that has learnt nothing");
  const save = make("again-save", "Save weights", () => void saved(), "A safetensors file, which the app opens");
  const back = make("again-back", "Back", () => again.leave(), "The network as it came");
  main.classList.add("hg-main");
  const buttons = [main, ...(session ? [step, reset, save, back] : [])];
  const row = h("div", { class: "hg-buttons" }, ...buttons);
  if (session) {
    panel.querySelector("h3")?.append(h("small", {}, session.title));
    const choices = h("details", {}, h("summary", {}, "Other choices"), source, form.element);
    panel.append(curve.element, message, row, choices);
  } else panel.append(source, form.element, row, message);
  let busy = false;

  /** Whether other choices are made than those that the network was begun with. */
  const other = (): boolean => {
    try {
      return !session || from !== begunFrom || JSON.stringify(form.spec) !== JSON.stringify(session.spec);
    } catch {
      return true;
    }
  };

  async function press(): Promise<void> {
    if (!session || (other() && !session.running)) return start(true);
    if (session.running) session.ask({ learn: "pause" });
    else if (session.latest?.done) session.ask({ learn: "extend", epochs: session.spec.epochs });
    else session.ask({ learn: "go" });
  }

  /** A new network of these choices takes the place of what is shown. */
  async function start(go: boolean): Promise<void> {
    if (busy) return;
    busy = true;
    try {
      const { spec } = form;
      if (!(await able())) throw new Error("this browser has no WebAssembly with SIMD, which training needs");
      setText(message, "Looking at the samples …");
      const base = session ? (session.lesson.base ?? session.lesson) : await lessonOf(again.data, context.decoding);
      const next = new Session(withDrawings(base, from, again.drawings), spec, again.startWorker);
      if (!(await next.begin())) {
        next.end();
        throw new Error(next.failed);
      }
      again.show(next);
      if (go) next.ask({ learn: "go" });
    } catch (error) {
      setText(message, sentence(messageOf(error)));
    }
    busy = false;
  }

  async function saved(): Promise<void> {
    const url = URL.createObjectURL(new Blob([await session!.save()], { type: "application/octet-stream" }));
    const name = `${dataset.name || "network"}-${context.card.id}-${session!.spec.size}.safetensors`;
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  /** Offers what was drawn meanwhile. */
  function offer(): void {
    const { length } = again.drawings;
    if (length === offered) return;
    // Who has just drawn something for it means it to be learnt.
    if (length > Math.max(offered, session?.lesson.drawings.length ?? 0)) from = "both";
    offered = length;
    source.hidden = !length;
    const [samples, yours] = ["the samples", length === 1 ? "your drawing" : `your ${length} drawings`];
    const options: [From, string][] = [
      ["samples", samples],
      ["both", `${samples} and ${yours}`],
    ];
    if (length >= FEWEST) options.push(["drawings", `${yours} alone`]);
    source.replaceChildren(
      choice("Learn from", options, from, (value) => ((from = value as From), update()), "again-from"),
    );
  }

  function update(): void {
    const told = session?.latest ?? null;
    const words =
      !told || (other() && !told.running) ? "Train" : told.running ? "Pause" : told.done ? "Train on" : "Go on";
    setText(main, words);
    step.disabled = told?.running ?? true;
    save.disabled = (told?.running ?? true) || !session?.losses.length; // an epoch is the least that the app opens
    if (!session || !told) return;
    panel.dataset["state"] = session.failed ? "failed" : told.running ? "running" : told.done ? "done" : "paused";
    panel.dataset["epoch"] = String(told.epoch);
    curve.draw(session);
    if (session.failed) return setText(message, sentence(session.failed));
    const error = told.rest?.error ?? session.judged.at(-1) ?? NaN,
      share = Math.round(100 * (1 - error / told.pca));
    const beside = share > 0 ? `${share} % below PCA's` : share < 0 ? `${-share} % above PCA's` : "as PCA's";
    panel.dataset["error"] = String(error);
    panel.dataset["pca"] = String(told.pca);
    const of = `Epoch ${Math.floor(told.epoch + 1e-9)} of ${Math.round(told.epochs)}`;
    const kl = session.spec.variational && told.kl ? ` KL ${told.kl.toPrecision(2)} nats.` : "";
    setText(
      message,
      `${of}, ${told.seconds.toFixed(1)} s. Error ${error.toPrecision(3)}, ${beside} (${told.pca.toPrecision(3)}).${kl} ${fromWhat(session.lesson, told.rest?.held)}`,
    );
    curve.element.setAttribute(
      "aria-label",
      `The error falls to ${error.toPrecision(2)}; PCA's is ${told.pca.toPrecision(2)}`,
    );
  }

  setText(
    message,
    "A small network learns from these samples, here in your browser. Nothing is sent. Its map takes the place of this one.",
  );
  const stop = session?.follow(update);
  offer();
  update();
  const watcher = new ResizeObserver(() => session && curve.draw(session));
  watcher.observe(curve.element);
  if (session) main.focus({ preventScroll: true });
  return {
    end: () => {
      stop?.();
      watcher.disconnect();
    },
    opened: () => {
      offer();
      update();
    },
  };
}

/** What a training learns from. */
function fromOf(session: Session | null): From {
  if (!session?.lesson.drawings.length) return "samples";
  return session.lesson.drawings.length < session.lesson.positions.length ? "both" : "drawings";
}

/** What it learns from, in a sentence. */
function fromWhat({ positions, drawn, card, drawings }: Lesson, held = 0): string {
  const others = positions.length - drawings.length,
    count = others.toLocaleString("en"),
    all = card.codes.count > others ? ` of ${card.codes.count.toLocaleString("en")}` : "";
  const judge = held && held < positions.length ? `; every tenth only judges` : "";
  const yours = drawings.length === 1 ? "your drawing" : `your ${drawings.length} drawings`;
  if (!others) return `It learns from ${yours} alone${judge}.`;
  const and = drawings.length ? ` and ${yours}` : "";
  return drawn
    ? `The originals are not here: it learns from ${count} samples as this run's own decoder draws them${and}${judge}.`
    : `It learns from ${count}${all} samples${and}${judge}.`;
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
