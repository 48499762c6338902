/**
 * Joins the states of two explorers of the same dataset. Their codes differ, and may stand in another order: what joins
 * them is the row of the dataset that each code belongs to.
 */

import type { Camera } from "./maths";
import type { State } from "./state";

/** One of the two explorers. */
export interface Side {
  readonly state: State;
  /** The row of the dataset for each code; null when code i is that of row i. */
  readonly rows: ArrayLike<number> | null;
  /** How many codes there are. */
  readonly count: number;
  codeOf(index: number): ArrayLike<number>;
}

/** Links two explorers until the function it returns is called: what changes in one changes in the other. */
export function link(a: Side, b: Side): () => void {
  let following = false;
  const joined = [oneWay(a, b), oneWay(b, a)];
  /** What one side changes in the other comes back as a change of the other, and must not go round. */
  function once(change: () => void): void {
    if (following) return;
    following = true;
    try {
      change();
    } finally {
      following = false;
    }
  }

  function oneWay(from: Side, to: Side): () => void {
    const indexOf = translation(from, to);
    const source = from.state,
      target = to.state;
    /** The marker: at the same sample, held or not. Without a sample there is no place for it in another latent space. */
    const showSample = () => {
      const { picked, hover, pinned } = source.now;
      const sample = picked ?? hover;
      const index = sample === null ? -1 : indexOf(sample);
      target.set("pinned", pinned);
      if (index >= 0 && target.now.picked !== index) target.setCode(to.codeOf(index), index);
    };
    const ends = [
      source.subscribe(["code", "hover", "pinned"], () => once(showSample)),
      source.subscribe(["hidden"], () => once(() => target.set("hidden", source.now.hidden))),
      source.subscribe(["selection"], () =>
        once(() => {
          const { selection } = source.now;
          const samples = selection && Int32Array.from(selection.samples, indexOf).filter((index) => index >= 0);
          target.set("selection", samples && { samples, polygon: null });
        }),
      ),
      source.subscribe(["camera"], () =>
        once(() => {
          const { camera, plane } = source.now;
          const other = target.now.camera;
          if (camera && other && plane === target.now.plane) target.set("camera", sameView(camera, other));
        }),
      ),
    ];
    return () => ends.forEach((end) => end());
  }

  return () => joined.forEach((end) => end());
}

/** From the position of a code on one side to that of the same row on the other; -1 where the other has none. */
function translation(from: Side, to: Side): (index: number) => number {
  let positions: Map<number, number> | null = null;
  const { rows } = to;
  if (rows) {
    positions = new Map();
    for (let i = 0; i < rows.length; i++) positions.set(rows[i], i);
  }
  return (index) => {
    const row = from.rows ? from.rows[index] : index;
    if (positions) return positions.get(row) ?? -1;
    return row < to.count ? row : -1;
  };
}

/** The same middle and the same width of the plane, in a window of another size. */
function sameView(camera: Camera, { width, height }: Camera): Camera {
  const k = width / camera.width;
  return { cx: camera.cx, cy: camera.cy, sx: camera.sx * k, sy: camera.sy * k, width, height };
}
