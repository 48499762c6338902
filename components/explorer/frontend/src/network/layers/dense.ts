/** Layers without a place: dense ones, activations, norms, and the shapes between them. */

import { product } from "../../maths";
import { linesOf, panelsOf, type Value } from "../plan";
import { count, type Layer } from "./layer";

/** Weights (outputs, inputs) in panels of eight outputs: [panel][input][8], zeros beyond the last output. */
export function packed(weights: Float32Array, outputs: number, inputs: number): Float32Array {
  const out = new Float32Array(8 * panelsOf(outputs) * inputs);
  for (let o = 0; o < outputs; o++) {
    const begin = 8 * (o >> 3) * inputs + (o & 7);
    for (let i = 0; i < inputs; i++) out[begin + 8 * i] = weights[o * inputs + i];
  }
  return out;
}

/** A bias for each output of each panel. */
export function padded(bias: Float32Array): Float32Array {
  const out = new Float32Array(8 * panelsOf(bias.length));
  out.set(bias);
  return out;
}

const dense: Layer = {
  batches: true,
  compile({ plan, fields, name }, value) {
    const x = plan.flat(value),
      inputs = product(x.shape),
      units = count(fields, "units");
    const w = plan.constant(packed(plan.weight(`${name}.weight`, units, inputs), units, inputs));
    const b = plan.constant(padded(plan.weight(`${name}.bias`, units)));
    const y = plan.vector(units),
      panels = panelsOf(units);
    plan.step((kernels, items) =>
      kernels.multiply(x.at, 0, x.item, 1, inputs, 0, w, b, y.at, 0, y.row, 1, items, panels),
    );
    return y;
  },
};

const activation: Layer = {
  batches: true,
  inPlace: true,
  compile({ plan, fields, shared }, value) {
    const x = shared ? plan.own(value) : value;
    const { lines, line, count: length } = linesOf(x);
    const kernel = ({ relu: "relu", gelu: "gelu", sigmoid: "logistic" } as const)[String(fields["kind"])];
    if (!kernel) throw new Error(`the activation ${String(fields["kind"]).slice(0, 20)} is not known`);
    // Items follow each other as lines do, where an item is one line; otherwise there is one item.
    plan.step((kernels, items) => kernels[kernel](x.at, lines * items, line, length));
    return x;
  },
};

const layerNorm: Layer = {
  batches: true,
  compile({ plan, name, shared }, value) {
    const x = plan.flat(shared ? plan.own(value) : value);
    const w = plan.constant(plan.weight(`${name}.weight`, ...x.shape)),
      b = plan.constant(plan.weight(`${name}.bias`, ...x.shape)),
      size = product(x.shape);
    plan.step((kernels, items) => kernels.normalise(x.at, items, x.item, size, w, b));
    return x;
  },
};

const flatten: Layer = {
  batches: true,
  compile({ plan }, value) {
    const x = plan.flat(value);
    return { ...x, shape: [product(x.shape)], row: x.item };
  },
};

const reshape: Layer = {
  batches: true,
  compile({ plan, fields }, value) {
    const x = plan.flat(value),
      shape = Array.isArray(fields["shape"]) ? (fields["shape"] as unknown[]).map(Number) : [];
    if (!shape.every((size) => Number.isInteger(size) && size > 0) || product(shape) !== product(x.shape))
      throw new Error(`${product(x.shape)} values cannot become ${shape.join(" x ")}`);
    return { ...x, shape, row: shape.length === 1 ? x.item : 4 * (shape.at(-1) ?? 1) };
  },
};

/** At work in training only. */
const dropout: Layer = { batches: true, inPlace: true, compile: (_, x) => x };

const sum: Layer = {
  batches: true,
  compile({ plan, fields, name, compile }, x) {
    const branches = Array.isArray(fields["branches"]) ? (fields["branches"] as unknown[]) : [];
    if (!branches.length) throw new Error("a sum has no branches");
    const ends = branches.map((layers, i) => compile(layers, x, `${name}.${i}`, true));
    const total = plan.own(ends[0]);
    for (const end of ends.slice(1)) add(plan.own(end), total);
    return total;

    /** Both are laid out alike. */
    function add(from: Value, to: Value): void {
      const { lines, line, count: length } = linesOf(to);
      const all = (lines - 1) * (line >> 2) + length;
      plan.step((kernels, items) => kernels.add(from.at, to.at, from.kind === "rows" ? items * (from.item >> 2) : all));
    }
  },
};

export const DENSE: Record<string, Layer> = {
  Dense: dense,
  Activation: activation,
  LayerNorm: layerNorm,
  Flatten: flatten,
  Reshape: reshape,
  Dropout: dropout,
  Sum: sum,
};
