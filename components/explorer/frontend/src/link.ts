/**
 * Joins the states of explorers of the same dataset. Their codes differ, and may stand in another order: what joins them
 * is the row of the dataset that each code belongs to.
 */

import type { RunCard } from "./card";
import type { RunData } from "./data";
import type { Camera, Neighbour } from "./maths";
import type { Key, State, Values } from "./state";

/** One of the explorers. */
export interface Side {
  readonly state: State;
  /** The row of the dataset for each code; null when code i is that of row i. */
  readonly rows: ArrayLike<number> | null;
  /** How many codes there are. */
  readonly count: number;
  codeOf(index: number): ArrayLike<number>;
  /** The codes nearest to a code, nearest first, among those that are accepted; null accepts all. */
  nearest(code: ArrayLike<number>, k: number, accepts: ((index: number) => boolean) | null): readonly Neighbour[];
  /** How far real samples are from each other at most (99 of 100); null where that is unknown. */
  readonly reach: number | null;
  /** What the coordinates of its map mean: maps with equal ones can be moved together. */
  frame(): string;
}

/** The side of what an explorer shows. */
export function sideOf(
  { data, card, state }: { readonly data: RunData; readonly card: RunCard; readonly state: State },
  rows: Int32Array | null,
  frame: () => string,
): Side {
  const { size, count, nearest_p99: reach } = card.codes;
  return {
    state,
    rows,
    count,
    codeOf: (index) => data.codes.subarray(index * size, (index + 1) * size),
    nearest: (code, k, accepts) => data.finder?.nearest(code, k, accepts ?? undefined) ?? [],
    reach,
    frame,
  };
}

/** From so many of the nearest shared samples a place in one latent space gets its place in another. */
export const GUIDES = 8;
/** What is chosen for how a map is drawn: the same on all maps, or on each its own. */
const LOOKS = ["colour", "layer", "points", "tool"] as const satisfies readonly Key[];

/** The rows that all sides have, by their positions among each side's codes. */
export class Shared {
  /** For each side, the position of the code of shared row s. */
  readonly positions: readonly Int32Array[];
  /** For each side and each of its codes, which shared row it is; -1 where another side has it not. */
  readonly places: readonly Int32Array[];

  constructor(sides: readonly Pick<Side, "rows" | "count">[]) {
    const rowOf = (side: Pick<Side, "rows">, index: number) => (side.rows ? side.rows[index] : index);
    let rows = Array.from({ length: sides[0].count }, (_, i) => rowOf(sides[0], i));
    const known = sides.map((side) => {
      const at = new Map<number, number>();
      for (let i = 0; i < side.count; i++) at.set(rowOf(side, i), i);
      return at;
    });
    rows = rows.filter((row) => known.every((at) => at.has(row)));
    this.positions = known.map((at) => Int32Array.from(rows, (row) => at.get(row)!));
    this.places = sides.map((side, which) => {
      const places = new Int32Array(side.count).fill(-1);
      this.positions[which].forEach((index, s) => (places[index] = s));
      return places;
    });
  }

  get count(): number {
    return this.positions[0].length;
  }

  /** The position on side `to` of what is at `index` on side `from`; -1 where it is not shared. */
  translate(from: number, to: number, index: number): number {
    const s = this.places[from][index] ?? -1;
    return s < 0 ? -1 : this.positions[to][s];
  }
}

export class Link {
  /** Whether what is chosen for one map is chosen for all. */
  together = true;
  private following = false;
  private readonly ends: (() => void)[] = [];
  /** The code that a side is given, written anew each time. */
  private readonly codes: Float32Array<ArrayBuffer>[];
  /** For each side which of its codes are shared; null where all are. */
  private readonly isShared: (((index: number) => boolean) | null)[];

  constructor(
    private readonly sides: readonly Side[],
    readonly shared: Shared = new Shared(sides),
  ) {
    this.codes = sides.map(({ state }) => new Float32Array(state.now.code.length));
    this.isShared = shared.places.map((places) =>
      places.length === shared.count ? null : (index) => places[index] >= 0,
    );
    sides.forEach((side, from) => {
      const on = (keys: readonly Exclude<Key, "picked">[], change: (to: number) => void) =>
        this.ends.push(side.state.subscribe(keys, () => this.once(from, change)));
      this.ends.push(side.state.subscribe(["code"], () => this.lead(from)));
      on(["pinned"], (to) => sides[to].state.set("pinned", side.state.now.pinned));
      on(["hidden"], (to) => sides[to].state.set("hidden", side.state.now.hidden));
      on(["selection"], (to) => sides[to].state.set("selection", this.selectionFor(from, to)));
      on(["camera"], (to) => this.moveCamera(from, to));
      for (const key of LOOKS) on([key], (to) => this.together && this.copy(key, from, to));
    });
  }

  /** What one side changes in another comes back as a change of the other, and must not go round. */
  private once(from: number, change: (to: number) => void): void {
    if (this.following) return;
    this.following = true;
    try {
      for (let to = 0; to < this.sides.length; to++) if (to !== from) change(to);
    } finally {
      this.following = false;
    }
  }

  /**
   * The marker of one side was moved: the others' go to the same sample, or to the mean of the codes that the nearest
   * shared samples have there, each weighted by one over its squared distance (Shepard 1968). Far from all data no such
   * place is known.
   */
  lead(from: number): void {
    if (this.following) return;
    const { state, reach } = this.sides[from];
    const { code, picked } = state.now;
    state.set("led", null);
    const known = picked === null ? -1 : this.shared.places[from][picked];
    const guides: readonly Neighbour[] =
      known >= 0 ? [{ index: picked!, distance: 0 }] : this.sides[from].nearest(code, GUIDES, this.isShared[from]);
    const away = known < 0 && (!guides.length || (reach !== null && guides[0].distance > reach));
    this.once(from, (to) => {
      const target = this.sides[to];
      const sample = guides.length ? this.shared.translate(from, to, guides[0].index) : -1;
      const { led } = target.state.now;
      if (led?.sample !== sample || led.away !== away) target.state.set("led", { sample, away });
      if (sample < 0) return;
      if (guides[0].distance === 0) return target.state.setCode(target.codeOf(sample), sample);
      const blended = this.codes[to].fill(0);
      let sum = 0;
      for (const guide of guides) {
        const weight = 1 / (guide.distance * guide.distance),
          theirs = target.codeOf(this.shared.translate(from, to, guide.index));
        for (let d = 0; d < blended.length; d++) blended[d] += weight * theirs[d];
        sum += weight;
      }
      for (let d = 0; d < blended.length; d++) blended[d] /= sum;
      target.state.setCode(blended, null);
    });
  }

  private selectionFor(from: number, to: number): Values["selection"] {
    const { selection } = this.sides[from].state.now;
    if (!selection) return null;
    const samples = Int32Array.from(selection.samples, (index) => this.shared.translate(from, to, index));
    return { samples: samples.filter((index) => index >= 0), polygon: null };
  }

  private moveCamera(from: number, to: number): void {
    const [source, target] = [this.sides[from], this.sides[to]];
    const { camera } = source.state.now,
      other = target.state.now.camera;
    if (camera && other && source.frame() === target.frame()) target.state.set("camera", sameView(camera, other));
  }

  private copy<K extends (typeof LOOKS)[number]>(key: K, from: number, to: number): void {
    this.sides[to].state.set(key, this.sides[from].state.now[key]);
  }

  /** Has all sides look like the first. */
  gather(): void {
    this.together = true;
    this.once(0, (to) => LOOKS.forEach((key) => this.copy(key, 0, to)));
  }

  end(): void {
    this.ends.forEach((end) => end());
  }
}

/** The same middle and the same width of the plane, in a window of another size. */
function sameView(camera: Camera, { width, height }: Camera): Camera {
  const k = width / camera.width;
  return { cx: camera.cx, cy: camera.cy, sx: camera.sx * k, sy: camera.sy * k, width, height };
}
