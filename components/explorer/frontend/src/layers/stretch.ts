/** How fast the decoded sample changes with the code. */

import { product, stretch, viewOf } from "../maths";
import type { Job, Layer, Picture } from "./layer";
import { heatMap } from "./pictures";
import { decodeInSlices } from "./slices";

/** How many cells lie side by side. */
const COLUMNS = 30;

export const decoderStretch: Layer = {
  id: "stretch",
  title: () => "decoder stretch",
  legend: () => ({
    words: "Behind the points: how much the decoded sample changes with a small step.",
    ends: ["little", "much"],
  }),
  isPossible: () => true,
  dependsOnCode: true,
  pointOpacity: 1,
  compute,
};

async function compute(job: Job): Promise<Picture | null> {
  const { context, camera } = job;
  const { move } = context.places.plane;
  if (!move || !context.decoding.ready) return null;
  const columns = COLUMNS,
    rows = Math.max(2, Math.round((columns * camera.height) / camera.width));
  const size = product(context.card.dataset.shape);
  const [x0, x1, y0, y1] = viewOf(camera);
  const dx = (x1 - x0) / columns,
    dy = (y1 - y0) / rows;
  const corners = (columns + 1) * (rows + 1);
  const codes = Array.from({ length: corners }, (_, i) =>
    move(context.state.now.code, x0 + (i % (columns + 1)) * dx, y0 + Math.floor(i / (columns + 1)) * dy),
  );
  const samples = new Float32Array(corners * size);
  if (!(await decodeInSlices(job, codes, (values, first) => samples.set(values, first * size)))) return null;
  return heatMap(stretch(samples, size, columns, rows, dx, dy), { columns, rows }, camera, 0.75);
}
