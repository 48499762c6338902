/** What a host knows of a run beside its folder, in words. Each part may be missing. */

/** A layer: what it is called, the shape that leaves it, how many numbers in it are trained. */
export type LayerRow = readonly [title: string, shape: string, parameters: number];

export interface NetworkWords {
  readonly encoder: readonly LayerRow[];
  readonly decoder: readonly LayerRow[];
  readonly parameters: number;
  /** How many numbers of a sample share one number of its code. */
  readonly compression: number;
  readonly formula: readonly string[];
  /** A program that makes this very model; "" where none is known. */
  readonly pytorch: string;
}

export interface Fit {
  /** The longer side of what is drawn, as a share of the picture's. */
  readonly share: number;
  /** What lies in the middle of the picture: the centre of mass of what is drawn, or of the box around it. */
  readonly centre: "mass" | "box";
}

export interface Steps {
  /** What the run is, in one sentence. */
  readonly sentence: string;
  /** The class to be found, and how that is said; null and "" where there are no classes. */
  readonly label: number | null;
  readonly find: string;
  /** Whether training is worth a word afterwards: not to whoever has just done it. */
  readonly train?: boolean;
}

export interface About {
  readonly network?: NetworkWords | null;
  /** What each dimension of the code stands for, where that was measured; "" otherwise. */
  readonly meanings?: readonly string[];
  /** How drawings are fitted before they are encoded, as the dataset's own images were; null where they are taken as drawn. */
  readonly fit?: Fit | null;
  /** Another run, which reads drawings better than this one. */
  readonly reader?: { readonly title: string; readonly address: string } | null;
  /** Where the samples inside a lasso are listed, in a sentence, where they are. */
  readonly lists?: string;
  /** The first steps of somebody who is new. */
  readonly intro?: Steps | null;
}
