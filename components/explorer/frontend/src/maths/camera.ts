/** The window onto a plane: which part of it is seen, and where its points are in pixels. */

export type Point = readonly [number, number];
export type Extent = readonly [x0: number, x1: number, y0: number, y1: number];

// ── the window onto the plane ───────────────────────────────────────────────

/** What part of the plane is seen: its centre and how many pixels one unit takes; y grows upwards on the plane. */
export interface Camera {
  readonly cx: number;
  readonly cy: number;
  readonly sx: number;
  readonly sy: number;
  readonly width: number;
  readonly height: number;
}

export const toPixel = (c: Camera, x: number, y: number): Point => [
  c.width / 2 + (x - c.cx) * c.sx,
  c.height / 2 - (y - c.cy) * c.sy,
];
export const fromPixel = (c: Camera, px: number, py: number): Point => [
  c.cx + (px - c.width / 2) / c.sx,
  c.cy - (py - c.height / 2) / c.sy,
];

/** The smallest box around the finite points of `xy` (x, y, x, y, …); a unit box around the origin when there is none. */
export function extentOf(xy: ArrayLike<number>): Extent {
  let x0 = Infinity,
    x1 = -Infinity,
    y0 = Infinity,
    y1 = -Infinity;
  for (let i = 0; i + 1 < xy.length; i += 2) {
    const x = xy[i],
      y = xy[i + 1];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  if (x0 > x1) return [-1, 1, -1, 1];
  return [x0, x1, y0, y1];
}

/**
 * A camera that shows a box with a margin in pixels. One unit is as long in x as in y, so that a circle of equal
 * distance is a circle, unless the box is so flat that nothing would be seen. Equal points get a window of unit size.
 */
export function fit([x0, x1, y0, y1]: Extent, width: number, height: number, margin = 28): Camera {
  const dx = x1 - x0,
    dy = y1 - y0;
  const floor = Math.max(dx, dy) || Math.max(1, Math.abs(x0) * 1e-6, Math.abs(y0) * 1e-6);
  const w = Math.max(1, width - 2 * margin),
    h = Math.max(1, height - 2 * margin);
  let sx = w / (dx || floor),
    sy = h / (dy || floor);
  const ratio = Math.max(sx / sy, sy / sx);
  if (ratio < 5 || dx === 0 || dy === 0) sx = sy = Math.min(sx, sy);
  return { cx: (x0 + x1) / 2, cy: (y0 + y1) / 2, sx, sy, width, height };
}

/** Zoom by a factor while the plane's point under the pixel stays where it is. */
export function zoomAt(c: Camera, px: number, py: number, factor: number): Camera {
  const [x, y] = fromPixel(c, px, py);
  const sx = c.sx * factor,
    sy = c.sy * factor;
  return { ...c, sx, sy, cx: x - (px - c.width / 2) / sx, cy: y + (py - c.height / 2) / sy };
}

export const panBy = (c: Camera, dx: number, dy: number): Camera => ({
  ...c,
  cx: c.cx - dx / c.sx,
  cy: c.cy + dy / c.sy,
});

/** The same middle and the same scale in a window of another size; what was seen across stays seen. */
export function resized(c: Camera, width: number, height: number): Camera {
  const k = Math.min(width / c.width, height / c.height);
  return { ...c, width, height, sx: c.sx * k, sy: c.sy * k };
}

export const viewOf = (c: Camera): Extent => [
  c.cx - c.width / 2 / c.sx,
  c.cx + c.width / 2 / c.sx,
  c.cy - c.height / 2 / c.sy,
  c.cy + c.height / 2 / c.sy,
];
