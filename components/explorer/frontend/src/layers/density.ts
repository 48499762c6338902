/** How many points are where: a smoothed count. */

import { countOnGrid, blur, viewOf } from "../maths";
import type { Layer } from "./layer";
import { gridOver, heatMap } from "./pictures";

/** The width of a cell in pixels. */
const CELL = 4;

export const density: Layer = {
  id: "density",
  title: () => "where samples lie",
  legend: () => ({ words: "Behind the points: how many samples lie near each place.", ends: ["few", "many"] }),
  isPossible: () => true,
  dependsOnCode: false,
  pointOpacity: 1,
  compute: ({ context, camera }) => {
    const { xy, index } = context.places.plane;
    const grid = gridOver(camera, CELL);
    const counts = countOnGrid(xy, viewOf(camera), grid.columns, grid.rows, (p) =>
      context.colouring.isVisible(index ? index[p] : p),
    );
    const smoothed = blur(counts, grid.columns, grid.rows, grid.radius);
    return heatMap(smoothed.map(Math.sqrt), grid, camera, 0.9, true);
  },
};
