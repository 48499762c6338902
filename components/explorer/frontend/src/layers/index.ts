/** The layers, in the order in which they are offered. */

import { classRegions } from "./classes";
import { density } from "./density";
import type { Layer } from "./layer";
import { manifold } from "./manifold";
import { decoderStretch } from "./stretch";

export const LAYERS: readonly Layer[] = [manifold, density, classRegions, decoderStretch];
