/** How pages without a server begin. Their script is their worker, too: from a disk nothing else can be fetched. */

import { takeBlocks } from "../blocks";
import { serve } from "../network/serve";

export const startWorker = () => new Worker(document.documentElement.dataset["script"] ?? "");

/** Computes where there is no document: in the worker. Otherwise calls `show` once the page is there. */
export function begin(show: () => void): void {
  if (typeof document === "undefined") return serve();
  takeBlocks();
  // Scripts with blocks stand behind this one.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
}
