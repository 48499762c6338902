/** What all layers are: pictures behind the points, computed in slices for the region that is shown. */

import type { RunCard } from "../card";
import type { Context } from "../context";
import type { Camera, Extent } from "../maths";

/** A picture of a part of the plane. */
export interface Picture {
  readonly canvas: HTMLCanvasElement;
  readonly extent: Extent;
  /** Whether its pixels are blended where it is drawn larger than it is. */
  readonly smooth: boolean;
}

/** One computation of a layer. */
export interface Job {
  readonly context: Context;
  /** What is shown. */
  readonly camera: Camera;
  /** False when another computation has begun: then whatever is computed is thrown away. */
  readonly isCurrent: () => boolean;
  /** Shows a picture before it is complete; an older one stays until `complete`. */
  readonly show: (picture: Picture, complete: boolean) => void;
}

export interface Legend {
  readonly words: string;
  readonly ends?: readonly [low: string, high: string];
}

export interface Layer {
  /** Its name in addresses and in the state. */
  readonly id: string;
  /** What the list of layers calls it. */
  readonly title: (card: RunCard) => string;
  /** Whether a run can have it. */
  readonly isPossible: (card: RunCard) => boolean;
  /** Whether it depends on all numbers of the code: with more than two of them it changes when the code has come to rest. */
  readonly dependsOnCode: boolean;
  /** How opaque all points together are above it, from 0 to 1. */
  readonly pointOpacity: number;
  /** What its picture shows, in one sentence, and what its colours run from and to where they are amounts. */
  readonly legend: (card: RunCard) => Legend;
  /** The picture; null where there is none on this plane, or when it was overtaken. */
  readonly compute: (job: Job) => Promise<Picture | null> | Picture | null;
}
