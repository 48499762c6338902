/** A network that is trained here, in the browser. What that takes is fetched by the first who opens it. */

import { h } from "../dom";
import { messageOf } from "../fault";
import { Explore } from "./explore";

export class TrainAgain extends Explore {
  override readonly id = "again";
  override readonly title = "Train again";
  override readonly help = "Train a network of your own on these samples, here in the browser, and see its map form";
  override readonly panel = h("section", { aria: { label: "Train again" } }, h("h3", {}, "Train again"));
  private end: (() => void) | null = null;
  private opened: (() => void) | null = null;
  private fetching = false;

  override get possible(): boolean {
    return this.context.again !== null;
  }

  override open(): void {
    const again = this.context.again!;
    // After the explorer stands whose place it takes.
    if (!again.session) setTimeout(() => again.resume());
    if (this.fetching) return this.opened?.();
    this.fetching = true;
    import("../learning/panel").then(
      ({ fill }) => ({ end: this.end, opened: this.opened } = fill(this.panel, this.context, again)),
      (error: unknown) => this.panel.append(h("p", { class: "hg-sum" }, messageOf(error))),
    );
  }

  override leave(): void {
    this.end?.();
  }
}
