/** Where everything of a network that learns lies in one memory. */

import { Arena } from "./kernels";
import { Dense, Each, LayerNorm, Learnt, Turned, values, type Layer, type Parameter, type Values } from "./layers";
import { layersOf, type Spec } from "./spec";

/** How many normal numbers noise is made of. */
export const NORMALS = 4096;

/** Samples (N, F): bytes of images, or numbers. */
export interface Samples {
  readonly values: Uint8Array | Float32Array;
  readonly count: number;
}

/** Where everything lies. */
export interface Parts {
  readonly bytes: number;
  readonly samples: number;
  readonly bytewise: boolean;
  readonly clean: Values;
  readonly input: Values;
  readonly code: Values;
  readonly drawn: Values;
  readonly sample: Values;
  /** Where the error of what comes out begins its way back. */
  readonly errors: Values;
  readonly dice: number;
  readonly normals: number;
  readonly state: number;
  readonly encoder: readonly Layer[];
  readonly decoder: readonly Layer[];
  readonly layers: readonly Layer[];
  readonly learnt: Learnt;
  readonly weight: { readonly code: Parameter };
  readonly bias: { readonly code: Parameter; readonly sample: Parameter };
}

export function laidOut(spec: Spec, samples: Samples): Parts {
  const { size, batch, variational, noise, shape } = spec;
  const arena = new Arena(),
    learnt = new Learnt(),
    turned = new Turned(),
    listed = layersOf(spec);
  const bytewise = samples.values instanceof Uint8Array;
  const place = arena.room(samples.values.length * (bytewise ? 1 : 4) + 16);
  const clean = values(
    arena,
    batch,
    shape.reduce((all, n) => all * n, 1),
    false,
  );
  const input = noise === "none" ? clean : values(arena, batch, clean.count, false);
  const drawn = variational ? values(arena, batch, size) : null;
  const encoder = part(input, "encoder");
  const code = encoder[encoder.length - 1].y;
  const decoder = part(drawn ?? code, "decoder");
  const sample = decoder[decoder.length - 1].y;
  const layers = [...encoder, ...decoder];
  const dice = arena.room(4 * batch * size),
    normals = arena.room(4 * NORMALS),
    state = arena.room(16);
  learnt.settle(arena);
  turned.settle(arena);
  const last = (all: readonly Layer[]) => all.flatMap((layer) => layer.parameters).slice(-2);
  const [[weight, bias], [, end]] = [last(encoder), last(decoder)];
  return {
    bytes: arena.size,
    samples: place,
    bytewise,
    clean,
    input,
    code,
    drawn: drawn ?? code,
    sample,
    errors: sample,
    dice,
    normals,
    state,
    encoder,
    decoder,
    layers,
    learnt,
    weight: { code: weight },
    bias: { code: bias, sample: end },
  };

  /** The layers of a part from these values on. */
  function part(from: Values, which: "encoder" | "decoder"): Layer[] {
    const out: Layer[] = [];
    listed[which].forEach((fields, i) => {
      const x = out.at(-1)?.y ?? from,
        name = `${which}.${i}`;
      if (fields["layer"] === "Dense")
        out.push(new Dense(learnt, x, values(arena, batch, Number(fields["units"])), turned, name));
      if (fields["layer"] === "LayerNorm") out.push(new LayerNorm(learnt, x, arena, batch, name));
      if (fields["layer"] === "Activation") {
        const kind = fields["kind"] === "sigmoid" ? "logistic" : (fields["kind"] as "relu" | "gelu");
        out.push(new Each(x, arena, batch, kind));
      }
    });
    return out;
  }
}
