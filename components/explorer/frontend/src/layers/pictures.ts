/** Pictures of grids over what is shown. */

import { cpuContext } from "../canvas";
import { shade } from "../colours";
import { quantiles, viewOf, type Camera } from "../maths";
import type { Picture } from "./layer";

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** The radius of a blur on it, in cells. */
  readonly radius: number;
}

/** A grid over what is shown whose cells are so many pixels wide. */
export function gridOver(camera: Camera, pixels: number): Grid {
  const columns = Math.ceil(camera.width / pixels);
  return { columns, rows: Math.ceil(camera.height / pixels), radius: Math.max(2, Math.round(columns / 50)) };
}

/** A picture with one colour (r, g, b, a up to 255) per cell; row 0 is at the bottom. */
export function paintGrid(
  { columns, rows }: Omit<Grid, "radius">,
  camera: Camera,
  colour: (cell: number) => readonly number[],
): Picture {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) image.data.set(colour(r * columns + c), 4 * ((rows - 1 - r) * columns + c));
  cpuContext(canvas).putImageData(image, 0, 0);
  return { canvas, extent: viewOf(camera), smooth: true };
}

/**
 * Values from transparent to opaque, so that they are not taken for the colours of points. With `fade` the scale begins
 * at the least and ends at the greatest, else the extremes are cut off.
 */
export function heatMap(
  values: Float32Array,
  grid: Omit<Grid, "radius">,
  camera: Camera,
  opacity: number,
  fade = false,
): Picture {
  const [low, high] = quantiles(values, fade ? [0, 1] : [0.02, 0.98]);
  return paintGrid(grid, camera, (i) => {
    const share = Math.max(0, Math.min(1, (values[i] - low) / (high - low || 1)));
    const [r, g, b, a] = shade(share);
    return [r, g, b, a * opacity];
  });
}
