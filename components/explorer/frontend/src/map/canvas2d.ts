/** The map's points on a 2-D canvas, where the browser has no WebGL 2. */

import { toPixel, type Camera } from "../maths";
import { ABOVE, BELOW, DIMMED, RING, UNKNOWN, type Points, type Rings } from "./webgl";

/**
 * The points of one colour after those of the other: changing the colour at each point costs more than drawing it. Squares,
 * or discs, which take longer.
 */
export function drawPoints2d(
  context: CanvasRenderingContext2D,
  camera: Camera,
  { xy, rows, highlighted }: Points,
  table: Uint8Array,
  rings: Rings,
  size: number,
  discs = false,
): void {
  const k = context.canvas.width / camera.width;
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  const byRow = new Map<number, number[]>();
  for (let i = 0; i < xy.length / 2; i++) {
    const row = (rows?.[i] ?? UNKNOWN) + (highlighted && !highlighted[i] ? 256 : 0);
    const list = byRow.get(row);
    if (list) list.push(i);
    else byRow.set(row, [i]);
  }
  for (const [row, list] of byRow) {
    const at = 4 * (row % 256);
    if (!table[at + 3]) continue;
    context.fillStyle = `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]} / ${(table[at + 3] / 255) * (row > 255 ? DIMMED : 1)})`;
    const ringed = rings && (row % 256 === BELOW || row % 256 === ABOVE);
    const edge = ringed ? Math.max(8, size * RING) : size;
    if (ringed) [context.strokeStyle, context.lineWidth] = [`rgb(${rings.join(" ")})`, Math.max(1.5, edge * 0.14)];
    context.beginPath();
    for (const i of list) {
      const [x, y] = toPixel(camera, xy[2 * i], xy[2 * i + 1]);
      if (x < 0 || y < 0 || x > camera.width || y > camera.height) continue;
      if (discs && !ringed) {
        context.moveTo(x * k + edge / 2, y * k);
        context.arc(x * k, y * k, edge / 2, 0, 7);
        continue;
      }
      context.fillRect(x * k - edge / 2, y * k - edge / 2, edge, edge);
      if (ringed) context.strokeRect(x * k - edge / 2, y * k - edge / 2, edge, edge);
    }
    context.fill();
  }
}
