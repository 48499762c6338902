/** What a network is to be and how it learns, as somebody chooses it on the page. */

export const ACTIVATIONS = ["relu", "gelu", "norm", "sigmoid"] as const;
/** "norm" is what our best small networks have: a layer norm, then GELU. */
export type Activation = (typeof ACTIVATIONS)[number];
export const NOISES = ["none", "gaussian", "masking"] as const;
export type Noise = (typeof NOISES)[number];

export interface Spec {
  /** A sample, and whether it is a picture: then values leave through a sigmoid and noise stays within [0, 1]. */
  readonly shape: readonly number[];
  readonly pixels: boolean;
  readonly size: number;
  /** The encoder's hidden layers; the decoder's are the same the other way round. */
  readonly widths: readonly number[];
  readonly activation: Activation;
  readonly variational: boolean;
  readonly noise: Noise;
  /** As in the app: a standard deviation, or a share of the pixels. */
  readonly level: number;
  readonly rate: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
}

export const MOST = { size: 32, width: 1024, layers: 4, epochs: 2000, rate: 0.1 } as const;
/** Widths are multiples of this, as the kernels like them. */
export const STEP = 8;

/** Hidden widths as somebody writes them, "128, 64"; an Error with a sentence where they are none. */
export function widthsOf(text: string): number[] {
  const found = text.match(/[^\s,;x–-]+/g) ?? [];
  if (found.length > MOST.layers) throw new Error(`at most ${MOST.layers} hidden layers are possible`);
  return found.map((one) => {
    const width = Number(one);
    if (!Number.isInteger(width) || width < STEP || width > MOST.width)
      throw new Error(`a hidden layer of “${one.slice(0, 12)}” units is not possible; ${STEP} to ${MOST.width} are`);
    return Math.round(width / STEP) * STEP;
  });
}

/** The architecture's name: what the app finds the same layers by. */
export const nameOf = ({ widths, activation, variational }: Spec): string =>
  ["dense", ...(variational ? ["variational"] : []), activation, ...widths].join("-");

type Layer = Readonly<Record<string, unknown>>;

/** The layers of both parts, as run.json lists them. */
export function layersOf(spec: Spec): { encoder: Layer[]; decoder: Layer[] } {
  const { shape, pixels, size, widths, activation, variational } = spec;
  const after: Layer[] =
    activation === "norm"
      ? [{ layer: "LayerNorm" }, { layer: "Activation", kind: "gelu" }]
      : [{ layer: "Activation", kind: activation }];
  const hidden = (all: readonly number[]) => all.flatMap((units): Layer[] => [{ layer: "Dense", units }, ...after]);
  const values = shape.reduce((all, n) => all * n, 1);
  return {
    encoder: [{ layer: "Flatten" }, ...hidden(widths), { layer: "Dense", units: variational ? 2 * size : size }],
    decoder: [
      ...hidden([...widths].reverse()),
      { layer: "Dense", units: values },
      { layer: "Reshape", shape: [...shape] },
      ...(pixels ? [{ layer: "Activation", kind: "sigmoid" }] : []),
    ],
  };
}
