/**
 * The pictures that samples can be followed between: a run's map, its t-SNE and UMAP, its codes after an earlier epoch, and
 * the principal components of the samples themselves.
 */

import { Fault } from "../fault";
import { product, project, type Plane } from "../maths";
import { readWeights } from "../network";
import type { Scene } from "../scene";

/** How many earlier epochs of a run are offered. */
const EPOCHS = 4;

/** Where samples of a run are in a picture, and the codes behind it. */
export interface Places {
  /** x, y of each point. */
  readonly xy: Float32Array;
  /** Which code of the run each point is; null when point i is code i. */
  readonly index: Int32Array | null;
  /** What neighbours are counted by: `size` numbers a point. */
  readonly codes: Float32Array;
  readonly size: number;
}

export interface Picture {
  readonly key: string;
  readonly title: string;
  /** Which of the runs it belongs to. */
  readonly run: number;
  read(): Promise<Places>;
}

/** All pictures of these runs, each run's map first. */
export function picturesOf(scenes: readonly Scene[], titles: readonly string[]): Picture[] {
  const maps: Picture[] = [],
    more: Picture[] = [];
  scenes.forEach((scene, run) => {
    const { card, data, state } = scene;
    const { size } = card.codes;
    const shown = () => data.planeOf(state.now.plane);
    maps.push({
      key: `${run}`,
      title: titles[run],
      run,
      read: () => Promise.resolve(codesOn(shown(), data.codes, size)),
    });
    for (const { key, title, xy, index, move } of data.planes)
      if (!move)
        more.push({
          key: `${run}:${key}`,
          title: `${titles[run]}, ${title}`,
          run,
          read: () => Promise.resolve({ xy, index, codes: xy, size: 2 }),
        });
    for (const epoch of earlier(card.replay?.epochs.length ?? 0))
      more.push({
        key: `${run}:epoch:${epoch}`,
        title: `${titles[run]} after epoch ${card.replay!.epochs[epoch]}`,
        run,
        read: () => epochOf(scene, epoch),
      });
  });
  if (scenes[0].card.files["baseline.safetensors"])
    more.push({ key: "pca", title: "PCA of the samples", run: 0, read: () => componentsOf(scenes[0]) });
  return [...maps, ...more];
}

/** Where the samples lie along their own first two principal components, without a network. */
async function componentsOf({ data, card }: Scene): Promise<Places> {
  const stored = readWeights(await data.folder.bytes("baseline.safetensors"));
  const mean = stored.get("mean"),
    components = stored.get("components");
  const size = product(card.dataset.shape);
  if (mean?.length !== size || !components || components.length < 2 * size)
    throw new Fault(
      "the PCA of this run has another size than its samples, or one direction only",
      "choose another picture",
    );
  if (data.originals === "loading") throw new Fault("the samples are still on their way", "try again in a moment");
  const index: number[] = [],
    xy: number[] = [];
  for (let i = 0; i < card.codes.count; i++) {
    const values = data.reduced ? null : data.original(i);
    if (!values) continue;
    let [x, y] = [0, 0];
    for (let k = 0; k < size; k++) {
      // What is missing is as in the mean.
      const centred = Number.isNaN(values[k]) ? 0 : values[k] - mean[k];
      x += centred * components[k];
      y += centred * components[size + k];
    }
    index.push(i);
    xy.push(x, y);
  }
  if (!index.length)
    throw new Fault("the samples are not at hand at their full size", "choose another picture, or another dataset");
  const places = Float32Array.from(xy);
  return { xy: places, index: Int32Array.from(index), codes: places, size: 2 };
}

function codesOn(plane: Plane, codes: Float32Array, size: number): Places {
  // t-SNE and UMAP keep some samples only.
  return plane.index
    ? { xy: plane.xy, index: plane.index, codes: plane.xy, size: 2 }
    : { xy: plane.xy, index: null, codes, size };
}

/** A few epochs before the last, spread over the training. */
function earlier(count: number): number[] {
  const few = Math.min(EPOCHS, Math.max(0, count - 1));
  return Array.from({ length: few }, (_, k) => Math.round((k * (count - 1)) / few));
}

/** A run's codes after an epoch, on the plane that its map shows. */
async function epochOf({ data, card, state }: Scene, epoch: number): Promise<Places> {
  const { count, epochs } = card.replay!;
  const { size } = card.codes;
  const [all, index] = await Promise.all([
    data.folder.floats("replay/codes.f32", epochs.length * count * size),
    data.indices("replay/index.i32", count),
  ]);
  const codes = all.slice(epoch * count * size, (epoch + 1) * count * size);
  const plane = data.planeOf(state.now.plane),
    { pca } = card.projections;
  if (plane.key === "pca" && pca) return { xy: project(codes, size, pca.mean, pca.components), index, codes, size };
  const xy = new Float32Array(2 * count);
  for (let i = 0; i < count; i++)
    xy.set(plane.place(codes.subarray(i * size, (i + 1) * size)) ?? codes.subarray(i * size, i * size + 2), 2 * i);
  return { xy, index, codes, size };
}

/** The points that two pictures share: where each is in both, and which code of `map`'s run it is. */
export interface Pair {
  readonly from: Float32Array;
  readonly to: Float32Array;
  /** For each point its code in the run of `from`, and in that of `to`. */
  readonly fromIndex: Int32Array;
  readonly toIndex: Int32Array;
  readonly fromCodes: Float32Array;
  readonly toCodes: Float32Array;
}

/** `translate` gives the position of a code of the first picture's run among those of the second's, -1 for none. */
export function pairOf(from: Places, to: Places, translate: (index: number) => number): Pair {
  const at = new Map<number, number>();
  const count = to.xy.length / 2;
  for (let p = 0; p < count; p++) at.set(to.index ? to.index[p] : p, p);
  const points: [number, number][] = [];
  for (let p = 0; p < from.xy.length / 2; p++) {
    const other = at.get(translate(from.index ? from.index[p] : p));
    if (other !== undefined) points.push([p, other]);
  }
  const take = (values: Float32Array, size: number, which: 0 | 1) => {
    const out = new Float32Array(points.length * size);
    points.forEach((pair, i) => out.set(values.subarray(pair[which] * size, (pair[which] + 1) * size), i * size));
    return out;
  };
  return {
    from: take(from.xy, 2, 0),
    to: take(to.xy, 2, 1),
    fromIndex: Int32Array.from(points, ([p]) => (from.index ? from.index[p] : p)),
    toIndex: Int32Array.from(points, ([, p]) => (to.index ? to.index[p] : p)),
    fromCodes: take(from.codes, from.size, 0),
    toCodes: take(to.codes, to.size, 1),
  };
}
