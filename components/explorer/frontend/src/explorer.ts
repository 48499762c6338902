/** The explorer of one run: opens it, says what went wrong, follows its host, and cleans up. */

import type { About } from "./about";
import { RunData } from "./data";
import { Decoding } from "./decoding";
import { Announcer, h } from "./dom";
import { Fault, messageOf } from "./fault";
import type { Again } from "./learning/again";
import { following } from "./learning/following";
import { keep, take } from "./learning/kept";
import { PointMap } from "./map/map";
import type { Ask } from "./network/asked";
import { Painter } from "./paint";
import { RunFolder } from "./run";
import { Scene } from "./scene";
import type { Source } from "./source";
import { Tips } from "./tips";
import type { Report, View } from "./view";

/** So long a map waits for the decoder, so that both come at once. */
const TOGETHER_MS = 150;

/** What an explorer is made of. */
export interface Opening {
  readonly source: Source;
  /** What reports call the run that `source` has. */
  readonly run: string;
  readonly view: View;
  readonly report: Report;
  /** Starts network/worker.ts where the host has it. */
  readonly startWorker: () => Worker;
  readonly about?: About;
  /** Decodes in place of the run's own decoder. */
  readonly ask?: Ask | null;
  /** Where several stand side by side: only the map, the picture and the sliders are shown. */
  readonly compact?: boolean;
  /** Reads the originals in place of the run, where another explorer has read them already. */
  readonly borrow?: (data: RunData) => Promise<void>;
  /** It shows a network that learns here: its training, and the explorer that it took the place of. */
  readonly again?: Again;
  /** Codes and labels are here, and the map is drawn. */
  readonly opened?: (scene: Scene) => void;
}

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
  private view: View;
  private report: Report;
  private ended = false;
  /** What shows a network that was trained here, in front of this one; and what ends that. */
  private front: { readonly explorer: Explorer; readonly end: (leave: boolean) => void } | null = null;

  constructor(
    private readonly host: Node,
    private readonly opening: Opening,
  ) {
    [this.view, this.report] = [opening.view, opening.report];
    this.root.classList.toggle("hg-compact", opening.compact === true);
    this.body.append(this.notices, h("div", { class: "hg-wait" }, "Opening the run …"));
    this.root.append(this.body);
    this.tips = new Tips(this.root);
    host.appendChild(this.root);
    this.open(new RunFolder(opening.source)).catch(this.notice);
  }

  private async open(folder: RunFolder): Promise<void> {
    const card = await folder.card();
    const painter = new Painter(card.dataset);
    const data = new RunData(folder, card, this.notice);
    const loaded = data.load();
    // The decoder travels at the same time as the codes.
    const { startWorker, ask = null } = this.opening;
    const decoding = (this.decoding = new Decoding(folder, card, painter, startWorker, ask, this.failing));
    if (this.ended) return decoding.end();
    await loaded;
    // A slow computer needs longer for the map's first drawing than for all until then: the picture is not to wait for it.
    await Promise.race([
      decoding.load().catch(() => undefined),
      new Promise((later) => setTimeout(later, TOGETHER_MS)),
    ]);
    if (this.ended) return;
    const scene = (this.scene = this.build(painter, data, decoding));
    this.opening.opened?.(scene);
    try {
      await decoding.load();
    } catch (error) {
      this.notice(error);
      this.root.dataset["ready"] = "false";
    }
    if (this.ended) return;
    if (decoding.ready) {
      this.root.dataset["ready"] = "true";
      scene.decoderArrived();
    }
    await data.loadAmounts();
    if (this.ended) return;
    scene.amountsArrived();
    await (this.opening.borrow?.(data) ?? data.loadOriginals());
    if (this.ended) return;
    scene.originalsArrived();
    // The last thing: what a layer of many samples would otherwise wait for.
    if (!this.opening.compact) decoding.many()?.warm();
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
      about: this.opening.about ?? {},
      again: this.opening.again ?? (this.opening.compact || this.opening.ask ? null : this.again(data)),
      compact: this.opening.compact === true,
    };
    const scene = new Scene(parts, this.view, this.opening.run, (name, value) => this.report(name, value));
    this.watcher.observe(this.map.element);
    return scene;
  }

  /** How a network that learns takes the place of this run. */
  private again(data: RunData): Again {
    const { opening } = this;
    const again: Omit<Again, "session"> = {
      data,
      startWorker: opening.startWorker,
      drawings: [],
      show: (session) => {
        this.front?.end(false);
        let stop = (): void => undefined;
        const explorer = new Explorer(this.host, {
          source: session.source,
          run: "",
          view: { palette: this.view.palette ?? [], tool: "again" },
          report: () => undefined,
          startWorker: opening.startWorker,
          about: { fit: opening.about?.fit ?? null },
          borrow: (own) => own.borrow(data, session.lesson.positions, session.lesson.drawings),
          again: { ...again, session },
          opened: (scene) => (stop = following(scene, session)),
        });
        this.root.remove();
        const end = (leave: boolean) => {
          stop();
          explorer.end();
          if (leave) keep(opening.run, session);
          else session.end();
        };
        this.front = { explorer, end };
      },
      resume: () => {
        const session = this.front || this.ended ? null : take(opening.run);
        if (!session) return false;
        again.drawings.push(...session.lesson.drawings);
        again.show(session);
        return true;
      },
      leave: () => {
        this.front?.end(false);
        this.front = null;
        this.host.appendChild(this.root);
      },
    };
    return { ...again, session: null };
  }

  /** One sentence about what went wrong; the rest goes on. */
  /** Says while a decoder that answers later fails that what is shown is of another place; null: it works again. */
  private readonly failing = (error: unknown): void => {
    this.root.classList.toggle("hg-fails", error !== null);
    this.notices.querySelector("[data-fails]")?.remove();
    if (error === null || this.ended) return;
    this.notices.append(h("p", { data: { fails: "" } }, messageOf(error)));
  };

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
    this.front?.explorer.update({ palette: view.palette ?? [], tool: "again" }, () => undefined);
  }

  end(): void {
    this.ended = true;
    this.front?.end(true);
    this.watcher.disconnect();
    this.announcer.end();
    this.tips.end();
    this.scene?.end();
    this.map.end();
    this.decoding?.end();
    this.root.remove();
  }
}
