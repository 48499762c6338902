/** What a page has to know of codes, as run.json says it of a run's. */

import type { RunCard } from "../card";
import { finder, linearPlane, project, quantiles, type Plane } from "../maths";
import { eigen } from "./pca";

type Codes = RunCard["codes"];

const DEAD = 0.01; // share of the largest variance below which a number says nothing
const COMPARED = 500; // codes whose nearest neighbour is looked for

export function describe(codes: Float32Array, size: number): Codes {
  const count = codes.length / size;
  const each = Array.from({ length: size }, (_, d) => codes.filter((_, i) => i % size === d));
  const ends = each.map((values) => quantiles(values, [0.005, 0.995]));
  const mean = each.map((values) => values.reduce((sum, v) => sum + v, 0) / count);
  const variance = each.map((values, d) => values.reduce((sum, v) => sum + (v - mean[d]) ** 2, 0) / count);
  const most = Math.max(...variance);
  const near = finder(codes, size),
    step = Math.ceil(count / COMPARED);
  const apart: number[] = [];
  for (let i = 0; i < count; i += step) {
    const next = near.nearest(codes.subarray(i * size, (i + 1) * size), 2)[1] as { distance: number } | undefined;
    if (next) apart.push(next.distance);
  }
  return {
    count,
    size,
    low: ends.map(([low]) => low),
    high: ends.map(([, high]) => high),
    mean,
    variance,
    kl: null,
    dead: variance.map((v) => v < DEAD * most),
    nearest_p99: apart.length ? quantiles(apart, [0.99])[0] : 0,
  };
}

/** The two directions in which the codes differ most, each turned to the side on which the ones before had it. */
export class MainPlane {
  private components: [Float64Array, Float64Array] | null = null;

  of(codes: Float32Array, size: number): NonNullable<RunCard["projections"]["pca"]> {
    const count = codes.length / size,
      mean = new Float64Array(size),
      spread = new Float64Array(size * size);
    for (let i = 0; i < codes.length; i++) mean[i % size] += codes[i] / count;
    for (let at = 0; at < codes.length; at += size)
      for (let i = 0; i < size; i++)
        for (let j = 0; j <= i; j++) spread[i * size + j] += (codes[at + i] - mean[i]) * (codes[at + j] - mean[j]);
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) spread[j * size + i] = spread[i * size + j];
    const { values, vectors } = eigen(spread, size);
    const total = values.reduce((sum, v) => sum + Math.max(0, v), 0) || 1;
    const components: [Float64Array, Float64Array] = [vectors[0], vectors[1]];
    components.forEach((vector, k) => {
      const before = this.components?.[k];
      const same = before ? vector.reduce((sum, v, d) => sum + v * before[d], 0) : (vector.find((v) => v !== 0) ?? 1);
      if (same < 0) vector.forEach((v, d) => (vector[d] = -v));
    });
    this.components = components;
    return {
      mean: [...mean],
      components: [[...components[0]], [...components[1]]],
      explained: [values[0] / total, values[1] / total],
    };
  }

  plane(codes: Float32Array, size: number): Plane {
    const { mean, components, explained } = this.of(codes, size);
    const [u, v] = explained.map((share) => `${Math.round(100 * share)} %`);
    const xy = project(codes, size, mean, components);
    return linearPlane("pca", "Main plane (PCA)", [`PCA 1 ${u}`, `PCA 2 ${v}`], xy, mean, components);
  }
}
