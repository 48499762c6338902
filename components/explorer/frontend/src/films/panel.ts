/** The panel of films: what to film and how, the film as it will be, and its making. */

import type { Context } from "../context";
import type { Replay } from "../data";
import { button, choice, h, saveAs, setText } from "../dom";
import { messageOf } from "../fault";
import { stopName } from "../maths";
import { PlayButton } from "../tools/play";
import { FRAMES, SECONDS, dimensionsOf, framesOf, usualSeconds, type What } from "./choreography";
import { Film, planeOf, stopsOf, type Chosen } from "./film";
import { formats, make, type Format } from "./make";
import { Player } from "./player";

export { default as css } from "./films.css?inline";

const TITLES: Readonly<Record<What, string>> = {
  replay: "Training replay",
  path: "Path",
  dimensions: "Each dimension",
  walk: "Walk round the map",
};
const FORMATS: Readonly<Record<Format, string>> = { gif: "GIF", webp: "WebP", mp4: "MP4" };
const SIDES = [160, 240, 320, 480, 720] as const;
const SPEEDS = [5, 10, 15, 20, 25, 30] as const;
/** Milliseconds after which what follows the map is drawn anew. */
const RESTS = 300;

/** Fills the panel. Returns what ends it. */
export function fill(panel: HTMLElement, context: Context, close: () => void): () => void {
  const { card, state, decoding } = context;
  const possible = (Object.keys(TITLES) as What[]).filter((what) =>
    what === "replay" ? card.replay : decoding.decoder,
  );
  const title = h("h3", {}, "Moving picture", button("Close", "close", close, "film-close"));
  const message = h("p", { class: "hg-sum", role: "status", data: { testid: "film-message" } });
  if (!possible.length) {
    setText(message, "This run has nothing to film here: its decoder is missing.");
    panel.replaceChildren(title, message);
    return () => undefined;
  }
  // A path that somebody laid, or a training that is being looked at, is what they want to show.
  const { tool } = state.now;
  let what = possible.find((one) => one === tool) ?? possible.find((one) => one === "path") ?? possible[0];
  let film: Film | null = null,
    replay: Replay | null = null,
    making: AbortController | null = null,
    ended = false,
    timer = 0;

  const select = (label: string, values: readonly (readonly [string, string])[], usual: string, testid: string) => {
    const element = choice(label, values, usual, () => anew(), testid);
    return [element, element.querySelector("select")!] as const;
  };
  const names = possible.map((one) => [one, TITLES[one]] as const);
  const [whatChoice, whatSelect] = select("What", names, what, "film-what");
  const [formatChoice, format] = select("Format", [["gif", FORMATS.gif]], "gif", "film-format");
  const [sizeChoice, size] = select(
    "Height",
    SIDES.map((side) => [String(side), `${side} px`]),
    "320",
    "film-size",
  );
  const rates = SPEEDS.map((rate) => [String(rate), String(rate)] as const);
  const [rateChoice, rate] = select("Frames/s", rates, "15", "film-rate");
  const seconds = h("input", {
    type: "number",
    min: String(SECONDS[0]),
    max: String(SECONDS[1]),
    step: "0.5",
    data: { testid: "film-seconds" },
    aria: { label: "Seconds" },
    on: { input: () => anew() },
  });
  const tick = (words: string, checked: boolean, testid: string) => {
    const input = h("input", { type: "checkbox", checked, data: { testid }, on: { change: () => anew() } });
    return [h("label", { class: "hg-check" }, input, words), input] as const;
  };
  const [loopLabel, loop] = tick("Loop", true, "film-loop");
  const [aloneLabel, alone] = tick("Without the map", false, "film-alone");
  const screen = h("div", { class: "hg-film-screen" });
  const player = new Player(() => play.show(player.playing));
  const play = new PlayButton("film-play", () => player.toggle());
  const save = h("button", { type: "button", class: "hg-main", data: { testid: "film-save" } }, "Save");
  const cancel = h("button", { type: "button", hidden: true, data: { testid: "film-cancel" } }, "Cancel");
  const bar = h("progress", { max: 1, value: 0, hidden: true, aria: { label: "How much of the film is made" } });
  const form = h(
    "div",
    { class: "hg-form hg-film-form" },
    whatChoice,
    formatChoice,
    sizeChoice,
    h("label", { class: "hg-choice" }, h("span", {}, "Seconds"), seconds),
    rateChoice,
    h("div", { class: "hg-film-ticks" }, loopLabel, aloneLabel),
  );
  panel.replaceChildren(
    title,
    screen,
    form,
    message,
    h("div", { class: "hg-buttons" }, play.element, save, cancel, bar),
  );

  const chosen = (): Chosen => ({
    what,
    size: Number(size.value),
    seconds: Number(seconds.value),
    rate: Number(rate.value),
    loop: loop.checked && format.value !== "mp4",
    alone: alone.checked && what !== "replay",
  });

  function usual(): void {
    const parts = what === "path" ? legs() : dimensionsOf(card.codes).length;
    seconds.value = String(usualSeconds(what, parts));
  }

  const legs = (): number => stopsOf(context).codes.length - (chosen().loop ? 0 : 1);

  /** What was chosen has changed. */
  function anew(): void {
    if (whatSelect.value !== what) {
      what = whatSelect.value as What;
      usual();
    }
    loopLabel.hidden = format.value === "mp4";
    aloneLabel.hidden = what === "replay";
    void show();
  }

  async function show(): Promise<void> {
    if (making) return;
    const asked = chosen();
    const [least, most] = SECONDS;
    save.disabled = true;
    if (!(asked.seconds >= least && asked.seconds <= most))
      return setText(message, `A film takes ${least} to ${most} seconds.`);
    const count = framesOf(asked.seconds, asked.rate);
    if (count > FRAMES[1])
      return setText(
        message,
        `${count.toLocaleString("en")} frames are too many: ${FRAMES[1].toLocaleString("en")} are the most. Take fewer seconds or frames a second.`,
      );
    try {
      if (what === "replay" && !replay) {
        setText(message, "Fetching the epochs …");
        replay = await context.data.replay();
      }
      if (making || ended || asked.what !== what) return;
      film = new Film(context, asked, replay);
    } catch (error) {
      return setText(message, messageOf(error));
    }
    screen.replaceChildren(film.canvas);
    film.canvas.setAttribute("role", "img");
    film.canvas.setAttribute("aria-label", `${TITLES[what]}: ${about()}`);
    const { width, height } = film.canvas;
    setText(message, `${about()} ${film.count} frames of ${width} × ${height}.`);
    save.disabled = false;
    player.show(film, asked.loop, !context.reducedMotion);
  }

  /** What is filmed, in a sentence. */
  function about(): string {
    const { data, places } = context;
    const elsewhere = places.plane.move
      ? ""
      : ` On ${planeOf(context).title.toLowerCase()}: ${places.plane.title} has no way back.`;
    if (what === "replay") return `${card.replay!.count.toLocaleString("en")} samples find their places.${elsewhere}`;
    if (what === "walk") return `Once around the middle of the map; all else stays as it is shown now.${elsewhere}`;
    if (what === "dimensions") {
      const order = dimensionsOf(card.codes);
      const some = order.length < card.codes.size ? `, ${order.length} of ${card.codes.size}` : "";
      return `${order.map((d) => `z${d + 1}`).join(", ")}${some}: each goes down, up and back from what is shown now.`;
    }
    const { samples, codes } = stopsOf(context);
    const stops = samples
      ? samples.map((i) => data.shortName(i) || `sample ${i + 1}`).join(", ")
      : codes.map((_, i) => stopName(i)).join(", ");
    return samples
      ? `Between real samples: ${stops}. The tool Path lays others.`
      : `Through the stops of Path: ${stops}.`;
  }

  async function start(): Promise<void> {
    if (!film || making) return;
    const asked = chosen(),
      kind = format.value as Format;
    making = new AbortController();
    const { signal } = making;
    player.pause();
    busy(true);
    try {
      const own = new Film(context, asked, replay); // the one that is shown is shown
      const { loop } = asked;
      const startWorker = context.again?.startWorker ?? null;
      const progress = (share: number) => (bar.value = share);
      const begun = performance.now();
      const file = await make(own, kind, { loop, startWorker, progress, signal });
      performance.measure("explorer:film", { start: begun, end: performance.now() });
      const name = `${card.dataset.name || "run"}-${what}.${kind}`;
      saveAs(file, name);
      const bytes = file.size < 1e6 ? `${Math.ceil(file.size / 1000)} kB` : `${(file.size / 1e6).toFixed(1)} MB`;
      setText(message, `Saved as ${name}: ${own.count} frames, ${bytes}.`);
      panel.dataset["state"] = "saved";
    } catch (error) {
      setText(message, signal.aborted ? "Cancelled: nothing was saved." : `That went wrong: ${messageOf(error)}.`);
      panel.dataset["state"] = signal.aborted ? "cancelled" : "failed";
    }
    making = null;
    busy(false);
  }

  function busy(is: boolean): void {
    const root = panel.getRootNode() as Document | ShadowRoot;
    const held = root.activeElement === save || root.activeElement === cancel;
    for (const one of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) one.disabled = is;
    save.hidden = play.element.hidden = is;
    cancel.hidden = bar.hidden = !is;
    bar.value = 0;
    if (is) {
      panel.dataset["state"] = "making";
      setText(message, "The film is being made; the map can be used meanwhile.");
    }
    if (held) (is ? cancel : save).focus({ preventScroll: true });
  }

  save.addEventListener("click", () => void start());
  cancel.addEventListener("click", () => making?.abort());
  void formats().then((known) =>
    format.replaceChildren(...known.map((one) => h("option", { value: one }, FORMATS[one]))),
  );
  const follow = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void show(), RESTS);
  };
  const stops = [
    state.subscribe(["plane", "colour", "hidden", "points"], follow),
    state.subscribe(["path"], () => {
      if (what !== "path") return;
      usual();
      follow();
    }),
    state.subscribe(["code"], () => {
      if (what === "dimensions" || what === "walk") follow();
    }),
  ];
  usual();
  anew();
  whatSelect.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" }); // on a phone it stands below the map
  return () => {
    ended = true;
    making?.abort();
    clearTimeout(timer);
    player.end();
    for (const stop of stops) stop();
    delete panel.dataset["state"];
  };
}
