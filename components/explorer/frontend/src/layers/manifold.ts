/** Samples decoded all over the map, each at its place. */

import { cpuContext } from "../canvas";
import { fromPixel, product, viewOf, type Camera } from "../maths";
import { canvasSize } from "../paint";
import type { Job, Layer, Picture } from "./layer";
import { decodeInSlices } from "./slices";

/** Into how many samples what is shown is divided: images, or signals, which need more space to be read. */
const IMAGES = 400,
  SIGNALS = 120;
/** It is shown not more often than an eye follows while it grows. */
const PAUSE_MS = 150;
/** How much wider than tall a signal is drawn. */
const SIGNAL_RATIO = 1.3;

export const manifold: Layer = {
  id: "manifold",
  title: (card) => `decoded ${card.dataset.kind}s`,
  legend: (card) => ({ words: `Behind the points: the ${card.dataset.kind} decoded at each place.` }),
  isPossible: (card) => card.dataset.kind !== "table", // rows cannot be read when they are small
  dependsOnCode: true,
  pointOpacity: 0.95,
  compute,
};

async function compute(job: Job): Promise<Picture | null> {
  const { context, camera } = job;
  const { dataset } = context.card;
  const { move } = context.places.plane;
  if (!move || !context.decoding.ready) return null;
  const { columns, rows } = tiling(camera, dataset.kind === "image");
  const [width, height] = canvasSize(dataset);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns * width, rows * height];
  const pixels = cpuContext(canvas);
  const size = product(dataset.shape);
  const cells = middleFirst(columns, rows);
  const codes = cells.map((cell) => {
    const px = (((cell % columns) + 0.5) * camera.width) / columns,
      py = ((Math.floor(cell / columns) + 0.5) * camera.height) / rows;
    return move(context.state.now.code, ...fromPixel(camera, px, py));
  });
  const picture: Picture = { canvas, extent: viewOf(camera), smooth: dataset.kind !== "image" };
  let shownAt = performance.now(),
    painted = 0;
  await decodeInSlices(job, codes, (values, first, count) => {
    for (let k = 0; k < count; k++) {
      const cell = cells[first + k];
      const [x, y] = [(cell % columns) * width, Math.floor(cell / columns) * height];
      context.painter.paintAt(pixels, x, y, width, height, values, k * size);
    }
    painted += count;
    job.show(picture, painted >= codes.length);
    if (performance.now() - shownAt < PAUSE_MS) return;
    shownAt = performance.now();
    context.map.redraw("background");
  });
  return picture;
}

function tiling(camera: Camera, image: boolean): { columns: number; rows: number } {
  const edge = Math.sqrt((camera.width * camera.height) / (image ? IMAGES : SIGNALS)),
    ratio = image ? 1 : SIGNAL_RATIO;
  return {
    columns: Math.max(1, Math.round(camera.width / (edge * ratio))),
    rows: Math.max(1, Math.round((camera.height * ratio) / edge)),
  };
}

/** All cells from the middle outwards: people look there first. */
function middleFirst(columns: number, rows: number): number[] {
  const distance = (cell: number) =>
    Math.hypot((cell % columns) - (columns - 1) / 2, Math.floor(cell / columns) - (rows - 1) / 2);
  return Array.from({ length: columns * rows }, (_, cell) => cell).sort((a, b) => distance(a) - distance(b));
}
