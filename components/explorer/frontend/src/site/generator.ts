/** A page that draws: a picture, a slider for each number of the code, and what one does with the picture. */

import { aroundMean } from "../density";
import { h, setText } from "../dom";
import { byUse } from "../maths";
import { canvasSize, type Sampled } from "../paint";
import { Live } from "./live";

/** Shows it in `host`, whose data-run names the run. */
export async function generate(host: HTMLElement): Promise<void> {
  const live = await Live.of(host.dataset["run"] ?? "");
  const { codes, dataset } = live.card,
    meanings = live.facts.meanings ?? [];
  const canvas: Sampled = h("canvas", { class: "drawn", data: { testid: "generated" } });
  [canvas.width, canvas.height] = canvasSize(dataset);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `A ${dataset.kind} that the network draws from the sliders`);
  const code = Float32Array.from(codes.mean);
  const inputs: HTMLInputElement[] = [];
  const said = h("p", { class: "said", role: "status" });

  const show = () => {
    live.show(code, canvas);
    host.dataset["code"] = code.join(",");
    inputs.forEach((input) => (input.value = String(code[Number(input.dataset["dim"]) - 1])));
  };
  /** The address keeps the picture, once the hand rests. */
  const keep = () => history.replaceState(null, "", `#z=${Array.from(code, (v) => Number(v.toFixed(4))).join(",")}`);

  const order = meant(byUse(codes.kl ?? codes.variance), meanings);
  const rows = order
    .filter((d) => !codes.dead[d])
    .map((d) => {
      const [low, high] = codes.low[d] < codes.high[d] ? [codes.low[d], codes.high[d]] : [-1, 1];
      const input = h("input", {
        type: "range",
        min: String(low),
        max: String(high),
        step: String((high - low) / 400),
        data: { testid: "code-slider", dim: String(d + 1) },
        on: {
          input: () => {
            code[d] = Number(input.value);
            live.show(code, canvas);
            host.dataset["code"] = code.join(",");
          },
          change: keep,
        },
      });
      inputs.push(input);
      return h("label", {}, h("span", {}, meanings[d] || `z${d + 1}`), input);
    });

  const surprise = () => {
    // As the codes are spread, or on pages from before that was known as wide as they are; kept within their range.
    const drawn = live.density?.draw(Math.random) ?? aroundMean(codes, Math.random);
    drawn.forEach((value, d) => (code[d] = Math.max(codes.low[d], Math.min(codes.high[d], value))));
    show();
    keep();
  };
  const save = () =>
    canvas.toBlob((blob) => {
      if (!blob) return;
      const link = h("a", { href: URL.createObjectURL(blob), download: "hourglass.png" });
      link.click();
      URL.revokeObjectURL(link.href);
    });
  const copy = () => {
    keep();
    navigator.clipboard.writeText(location.href).then(
      () => setText(said, "The link to this picture is copied."),
      () => setText(said, "Copy the address of this page: it holds this picture."),
    );
  };
  const act = (words: string, testid: string, click: () => void) =>
    h("button", { type: "button", data: { testid }, on: { click } }, words);
  const buttons = h(
    "div",
    { class: "acts" },
    act("Surprise me", "surprise", surprise),
    act("Save the picture", "save", save),
    act("Copy the link", "copy", copy),
  );
  host.replaceChildren(h("div", { class: "picture" }, canvas, buttons, said), h("div", { class: "sliders" }, ...rows));

  const restore = () => {
    const given = /^#z=([-\d.,e]+)$/.exec(location.hash)?.[1].split(",").map(Number) ?? [];
    if (given.length === codes.size && given.every(Number.isFinite)) code.set(given);
    show();
  };
  addEventListener("hashchange", restore);
  restore();
}

/** Those dimensions first that stand for something, each group in its order. */
const meant = (order: readonly number[], meanings: readonly string[]): number[] => [
  ...order.filter((d) => meanings[d]),
  ...order.filter((d) => !meanings[d]),
];
