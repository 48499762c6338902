/** What an explorer shows, as one value that others can follow. Touches no page. */

import type { Camera } from "./maths";

/** Samples inside a closed shape. */
export interface Selection {
  /** Positions of the samples among the codes. */
  readonly samples: Int32Array;
  /** The shape's corners (x, y, x, y, …) in coordinates of the plane; null where the selection came from elsewhere. */
  readonly polygon: readonly number[] | null;
}

/** The codes that a path leads through; straight, or on arcs around 0. */
export interface Stops {
  readonly codes: readonly Float32Array[];
  readonly spherical: boolean;
}

/** What a map is told that shows what a hand does on another one. */
export interface Led {
  /** The sample that is nearest to the hand there; -1 where this run has it not. */
  readonly sample: number;
  /** The hand is far from all samples there: no place here stands for that. */
  readonly away: boolean;
}

export interface Values {
  /** The code that is decoded. Its numbers are overwritten in place: who keeps them takes a copy. */
  code: Float32Array<ArrayBuffer>;
  /** The sample whose code this is exactly, when it is one. */
  picked: number | null;
  /** Whether the code stays where it is while the pointer moves. */
  pinned: boolean;
  /** Who moved the code: null for a hand on this map, else what another one says. */
  led: Led | null;
  /** The key of the plane that the map shows: "pca", "tsne", "umap" or two dimensions as "z1,z2". */
  plane: string;
  /** What the colour of a point stands for: "class", "error", "factor:0", "column:0" or "plain". */
  colour: string;
  /** The classes that are not shown; -1 stands for samples without a class. */
  hidden: ReadonlySet<number>;
  /** Which part of the plane the map shows; null before the map has a size. */
  camera: Camera | null;
  /** The ids of the tool in hand and of the layer behind the points. */
  tool: string;
  layer: string;
  /** Whether points are drawn. */
  points: boolean;
  selection: Selection | null;
  /** The stops of the tool Path. */
  path: Stops;
}

export type Key = keyof Values;
type Listener = () => void;

/**
 * The values, and who follows them. Listeners run at once, in the order in which they were added. Moving the code
 * allocates nothing: a pointer does it at every frame.
 */
export class State {
  private readonly values: Values;
  private readonly listeners = new Map<Key, Listener[]>();

  /** `size` is how many numbers a code has. */
  constructor(size: number, initial: Partial<Omit<Values, "code">> = {}) {
    this.values = {
      code: new Float32Array(size),
      picked: null,
      pinned: false,
      led: null,
      plane: "",
      colour: "class",
      hidden: new Set(),
      camera: null,
      tool: "",
      layer: "none",
      points: true,
      selection: null,
      path: { codes: [], spherical: false },
      ...initial,
    };
  }

  /** What is shown now. It changes in place. */
  get now(): Readonly<Values> {
    return this.values;
  }

  /** Sets one value; listeners hear of it when it is another one than before. */
  set<K extends Exclude<Key, "code" | "picked">>(key: K, value: Values[K]): void {
    if (Object.is(this.values[key], value)) return;
    this.values[key] = value;
    this.notify(key);
  }

  /** Overwrites the code, and says which sample it belongs to exactly, if any. Listeners of "code" always hear of it. */
  setCode(code: ArrayLike<number>, picked: number | null): void {
    this.values.code.set(code);
    this.values.picked = picked;
    this.notify("code");
  }

  /** Calls `listener` after each change of one of these values, until the function it returns is called. */
  subscribe(keys: readonly Exclude<Key, "picked">[], listener: Listener): () => void {
    for (const key of keys) {
      const list = this.listeners.get(key);
      if (list) list.push(listener);
      else this.listeners.set(key, [listener]);
    }
    return () => {
      for (const key of keys)
        this.listeners.set(
          key,
          this.listeners.get(key)!.filter((one) => one !== listener),
        );
    };
  }

  private notify(key: Key): void {
    const list = this.listeners.get(key);
    if (list) for (const listener of list) listener();
  }
}
