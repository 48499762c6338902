/** The explorer of one run: opens it, says what went wrong, follows its host, and cleans up. */

import type { About } from "./about";
import { RunData } from "./data";
import { Decoding } from "./decoding";
import { Announcer, h } from "./dom";
import { Fault, messageOf } from "./fault";
import { PointMap } from "./map/map";
import { Painter } from "./paint";
import { RunFolder } from "./run";
import { Scene } from "./scene";
import type { Source } from "./source";
import { Tips } from "./tips";
import type { Report, View } from "./view";

export class Explorer {
  /** Its width decides between the wide layout and the narrow one. */
  readonly root = h("div", { class: "hg", data: { testid: "latent-explorer" } });
  private readonly body = h("div", { class: "hg-body" });
  private readonly notices = h("div", { class: "hg-notices", role: "status", data: { testid: "explorer-notices" } });
  private readonly announcer = new Announcer();
  private readonly motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly tips: Tips;
  private readonly map = new PointMap(() => this.motion.matches);
  private readonly watcher = new ResizeObserver(() => this.map.resize());
  private decoding: Decoding | null = null;
  private scene: Scene | null = null;
  private ended = false;

  /** `run` is what reports call the run that `source` has; `startWorker` starts network/worker.ts where the host has it. */
  constructor(
    host: Node,
    source: Source,
    private readonly run: string,
    private view: View,
    private report: Report,
    private readonly startWorker: () => Worker,
    private readonly about: About = {},
  ) {
    this.body.append(this.notices, h("div", { class: "hg-wait" }, "Opening the run …"));
    this.root.append(this.body);
    this.tips = new Tips(this.root);
    host.appendChild(this.root);
    this.open(new RunFolder(source)).catch(this.notice);
  }

  private async open(folder: RunFolder): Promise<void> {
    const card = await folder.card();
    const painter = new Painter(card.dataset);
    const data = new RunData(folder, card, this.notice);
    const loaded = data.load();
    // The decoder travels at the same time as the codes.
    const decoding = (this.decoding = new Decoding(folder, card, painter, this.startWorker));
    if (this.ended) return decoding.end();
    await loaded;
    if (this.ended) return;
    const scene = (this.scene = this.build(painter, data, decoding));
    try {
      await decoding.load();
    } catch (error) {
      this.notice(error);
      this.root.dataset["ready"] = "false";
    }
    if (this.ended) return;
    if (decoding.decoder) {
      this.root.dataset["ready"] = "true";
      scene.decoderArrived();
    }
    await data.loadAmounts();
    if (this.ended) return;
    scene.amountsArrived();
    await data.loadOriginals();
    if (!this.ended) scene.originalsArrived();
  }

  private build(painter: Painter, data: RunData, decoding: Decoding): Scene {
    this.root.querySelector(".hg-wait")?.remove();
    if (!this.map.accelerated)
      this.notices.append(h("p", {}, "This browser draws without WebGL: the map works, but large ones move slowly."));
    const parts = {
      root: this.root,
      body: this.body,
      map: this.map,
      announcer: this.announcer,
      painter,
      data,
      decoding,
      prefersReducedMotion: () => this.motion.matches,
      about: this.about,
    };
    const scene = new Scene(parts, this.view, this.run, (name, value) => this.report(name, value));
    this.watcher.observe(this.map.element);
    return scene;
  }

  /** One sentence about what went wrong; the rest goes on. */
  private readonly notice = (error: unknown): void => {
    if (this.ended) return;
    const sentence = messageOf(error);
    if (!(error instanceof Fault)) console.error(error);
    this.root.querySelector(".hg-wait")?.remove();
    this.root.dataset["ready"] ??= "false";
    for (const known of this.notices.children) if (known.textContent === sentence) return;
    this.notices.append(h("p", {}, sentence));
  };

  /** Called at every rerun of the host's page. */
  update(view: View, report: Report): void {
    this.report = report;
    this.view = view;
    this.scene?.update(view);
  }

  end(): void {
    this.ended = true;
    this.watcher.disconnect();
    this.announcer.end();
    this.tips.end();
    this.scene?.end();
    this.map.end();
    this.decoding?.end();
    this.root.remove();
  }
}
