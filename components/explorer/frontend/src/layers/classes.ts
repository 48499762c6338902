/** The class that is most frequent at each place. */

import { countOnGrid, blur, viewOf } from "../maths";
import type { Job, Layer, Picture } from "./layer";
import { gridOver, paintGrid } from "./pictures";
import { SLICE_MS, yieldToPage } from "./slices";

/** Below this smoothed count a place belongs to no class; at the second it is half as strong as where many samples lie. */
const LEAST = 1e-4,
  HALF = 4e-3;

export const classRegions: Layer = {
  id: "classes",
  title: ({ dataset }) => `regions by ${dataset.label ?? "class"}`,
  legend: ({ dataset }) => ({
    words: `Behind the points: the commonest ${dataset.label ?? "class"} at each place; faint where two are as common.`,
  }),
  isPossible: (card) => card.dataset.classes.length > 0,
  dependsOnCode: false,
  pointOpacity: 1,
  compute,
};

async function compute({ context, camera, isCurrent }: Job): Promise<Picture | null> {
  const { labels } = context.data;
  const { classes } = context.card.dataset;
  const { xy, index } = context.places.plane;
  const extent = viewOf(camera);
  // Each class is a picture of its own: of hundreds coarser ones.
  const grid = gridOver(camera, classes.length > 100 ? 8 : 4);
  const { columns, rows, radius } = grid;
  const best = new Float32Array(columns * rows),
    second = new Float32Array(columns * rows),
    which = new Int32Array(columns * rows).fill(-1);
  let begun = performance.now();
  for (let c = 0; labels && c < classes.length; c++) {
    if (context.state.now.hidden.has(c)) continue;
    if (performance.now() - begun > SLICE_MS) {
      await yieldToPage();
      if (!isCurrent()) return null;
      begun = performance.now();
    }
    const counts = blur(
      countOnGrid(xy, extent, columns, rows, (p) => labels[index ? index[p] : p] === c),
      columns,
      rows,
      radius,
    );
    counts.forEach((count, i) => {
      if (count > best[i]) {
        second[i] = best[i];
        best[i] = count;
        which[i] = c;
      } else if (count > second[i]) second[i] = count;
    });
  }
  return paintGrid(grid, camera, (i) => {
    if (which[i] < 0 || best[i] < LEAST) return [0, 0, 0, 0];
    // Strong where one class is alone, faint where two share the place.
    const strength = best[i] / (best[i] + HALF);
    return [...context.colouring.colourOf(which[i]), (40 + 120 * (1 - second[i] / best[i])) * strength];
  });
}
