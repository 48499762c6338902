/** How the error falls, beside PCA's. */

import { cpuContext } from "../canvas";
import { h } from "../dom";
import { themeOf } from "../theme";
import type { Session } from "./session";

const TALL = 96;

export class Curve {
  readonly element = h("canvas", { class: "hg-curve", data: { testid: "again-curve" } });

  constructor() {
    this.element.setAttribute("role", "img");
  }

  /** The error of each step, thin; of the held-out samples after each epoch, thick; and PCA's, dashed. */
  draw(session: Session): void {
    const { element } = this,
      { latest, stepped, judged, spec } = session;
    const wide = element.clientWidth;
    if (!latest || wide < 2) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [Math.round(wide * ratio), Math.round(TALL * ratio)];
    if (element.width !== width || element.height !== height) Object.assign(element, { width, height });
    const context = cpuContext(element),
      { ink } = themeOf(element.closest(".hg") ?? element);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, TALL);
    const epochs = Math.max(latest.epochs, latest.epoch, 1),
      perEpoch = stepped.length / Math.max(latest.epoch, 1e-9);
    const top = 1.15 * Math.max(latest.pca, judged[0] ?? 0, 1e-9);
    const x = (epoch: number) => 1 + (epoch / epochs) * (wide - 3),
      y = (error: number) => TALL - 3 - (Math.min(error, top) / top) * (TALL - 6);
    const line = (colour: string, thick: number, dash: readonly number[], points: () => void) => {
      context.beginPath();
      [context.strokeStyle, context.lineWidth, context.lineJoin] = [colour, thick, "round"];
      context.setLineDash([...dash]);
      points();
      context.stroke();
    };
    line(ink.line, 1, [], () => {
      context.moveTo(0, TALL - 1);
      context.lineTo(wide, TALL - 1);
    });
    line(ink.faint, 1.5, [5, 4], () => {
      context.moveTo(0, y(latest.pca));
      context.lineTo(wide, y(latest.pca));
    });
    context.fillStyle = ink.faint;
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "right";
    context.fillText(`PCA, ${spec.size === 1 ? "one number" : `${spec.size} numbers`}`, wide - 2, y(latest.pca) - 5);
    // No more points than the picture has columns: a training may have a hundred thousand steps.
    const step = Math.max(1, Math.floor(stepped.length / (2 * wide)));
    context.globalAlpha = 0.45;
    line(ink.accent, 1, [], () => {
      for (let i = 0; i < stepped.length; i += step) context.lineTo(x((i + 1) / perEpoch), y(stepped[i]));
    });
    context.globalAlpha = 1;
    line(ink.accent, 2.5, [], () => judged.forEach((error, epoch) => context.lineTo(x(epoch), y(error))));
  }
}
