/** A picture of a run on a site's front page, which comes alive under the pointer: its decoder is fetched then. */

import { messageOf } from "../fault";
import type { Sampled } from "../paint";
import { canvasSize } from "../paint";
import { Live } from "./live";

/** `link` is an element with an image in it; data-preview names the run, data-script the file with its decoder. */
export function preview(link: HTMLElement): void {
  const image = link.querySelector("img"),
    name = link.dataset["preview"] ?? "";
  let live: Promise<Live | null> | null = null;
  let canvas: Sampled | null = null;

  const wake = (): Promise<Live | null> => {
    live ??= fetched(link.dataset["script"] ?? "")
      .then(() => Live.of(name))
      .catch((error: unknown) => {
        link.title = messageOf(error);
        return null;
      });
    return live;
  };
  const move = async (event: PointerEvent) => {
    const alive = await wake();
    if (!alive || !image) return;
    if (!canvas) {
      canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = canvasSize(alive.card.dataset);
      canvas.className = "live";
      canvas.dataset["testid"] = "preview";
      image.after(canvas);
    }
    const box = link.getBoundingClientRect();
    const share = (value: number) => Math.max(0, Math.min(1, value));
    const code = alive.codeAt(
      share((event.clientX - box.left) / box.width),
      share((event.clientY - box.top) / box.height),
    );
    link.dataset["code"] = code.join(",");
    alive.show(code, canvas);
  };
  link.addEventListener("pointerenter", () => void wake());
  link.addEventListener("pointermove", (event) => void move(event));
  link.addEventListener("pointerleave", () => {
    canvas?.remove();
    canvas = null;
  });
}

/** A script beside the page, which also a page from a disk may have. */
function fetched(address: string): Promise<unknown> {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = () => failed(new Error(`The file ${address} of this site is missing.`));
    document.head.append(script);
  });
}
