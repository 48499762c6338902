/**
 * The grid, its numbers and the names of the axes, drawn behind the points. Where a text stands, the picture is less than
 * opaque: points are left out there (webgl.ts), so that it can be read.
 */

import type { Ink } from "../canvas";
import { decimalsFor, formatNumber, ticks, toPixel, viewOf, type Camera } from "../maths";
import { LEFT_OUT } from "./webgl";

export function drawAxes(
  context: CanvasRenderingContext2D,
  camera: Camera,
  axes: readonly [string, string],
  ink: Pick<Ink, "text" | "line" | "paper">,
): void {
  const [x0, x1, y0, y1] = viewOf(camera);
  const { width, height } = camera;
  // Read from the last row of a classroom as well.
  const size = Math.max(11, Math.min(20, height / 46));
  context.font = `${size}px system-ui, sans-serif`;
  context.lineWidth = 1;
  const xs = ticks(x0, x1, Math.max(4, width / 110)),
    ys = ticks(y0, y1, Math.max(3, height / 90));
  const dx = decimalsFor(xs[1] - xs[0]),
    dy = decimalsFor(ys[1] - ys[0]);
  const label = (text: string, x: number, y: number) => {
    context.lineWidth = 0.8 * size;
    context.strokeStyle = ink.paper;
    context.strokeText(text, x, y);
    context.fillStyle = ink.text;
    context.fillText(text, x, y);
    context.globalCompositeOperation = "destination-out";
    context.strokeStyle = `rgb(0 0 0 / ${1 - LEFT_OUT})`;
    context.strokeText(text, x, y);
    context.globalCompositeOperation = "source-over";
  };
  const name = `600 ${size + 1}px system-ui, sans-serif`;
  context.strokeStyle = ink.line;
  context.beginPath();
  for (const x of xs) {
    const px = Math.round(toPixel(camera, x, 0)[0]) + 0.5;
    context.moveTo(px, 0);
    context.lineTo(px, height);
  }
  for (const y of ys) {
    const py = Math.round(toPixel(camera, 0, y)[1]) + 0.5;
    context.moveTo(0, py);
    context.lineTo(width, py);
  }
  context.stroke();
  context.lineJoin = "round";
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const x of xs) {
    const px = toPixel(camera, x, 0)[0];
    if (px > 44 && px < width - 64) label(formatNumber(x, dx), px, height - 7);
  }
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const y of ys) {
    const py = toPixel(camera, 0, y)[1];
    if (py > 28 && py < height - 24) label(formatNumber(y, dy), 7, py);
  }
  context.textBaseline = "alphabetic";
  context.font = name;
  label(axes[1], 7, size + 5);
  context.textAlign = "right";
  label(axes[0], width - 8, height - 7);
}
