/** The grid, its numbers and the names of the axes, drawn behind the points. */

import type { Ink } from "../canvas";
import { decimalsFor, formatNumber, ticks, toPixel, viewOf, type Camera } from "../maths";

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
  const xs = ticks(x0, x1, width / 110),
    ys = ticks(y0, y1, height / 90);
  const label = (text: string, x: number, y: number) => {
    // A halo of paper keeps the numbers readable on whatever layer is below.
    context.lineWidth = 3;
    context.strokeStyle = ink.paper;
    context.strokeText(text, x, y);
    context.fillStyle = ink.text;
    context.fillText(text, x, y);
  };
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
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  const dx = decimalsFor(xs[1] - xs[0]),
    dy = decimalsFor(ys[1] - ys[0]);
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
  context.font = `600 ${size + 1}px system-ui, sans-serif`;
  label(axes[1], 7, size + 5);
  context.textAlign = "right";
  label(axes[0], width - 8, height - 7);
}
