/** Where something is drawn on a dark ground. */

export interface InkBox {
  /** The box around what is drawn, in pixels; right and bottom lie beyond it. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** The centre of mass, each pixel weighing as much as it is bright. */
  readonly mass: readonly [x: number, y: number];
}

/** Brightness (0 to 255) from which a pixel counts as drawn on. */
const DRAWN = 32;

/** The box and the centre of what is drawn; null on an empty pad. */
export function inkOf({ data, width, height }: Pick<ImageData, "data" | "width" | "height">): InkBox | null {
  let [left, right, top, bottom] = [width, 0, height, 0];
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const light = Math.max(data[at], data[at + 1], data[at + 2]);
      if (light < DRAWN) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      if (y >= bottom) bottom = y + 1;
      sum += light;
      sumX += light * (x + 0.5);
      sumY += light * (y + 0.5);
    }
  return sum ? { left, right, top, bottom, mass: [sumX / sum, sumY / sum] } : null;
}
