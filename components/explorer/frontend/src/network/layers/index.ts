/** Every kind of layer, and several of them one after the other. */

import { objectOf, type Json } from "../../card";
import { NO_BORDER, type Border, type Plan, type Value } from "../plan";
import { DENSE } from "./dense";
import { IMAGES } from "./images";
import type { Layer } from "./layer";
import { STEPS } from "./steps";

const LAYERS: Record<string, Layer> = { ...DENSE, ...IMAGES, ...STEPS };

interface Listed {
  readonly layer: Layer;
  readonly fields: Json;
}

/** The layers that a run lists: [{layer: "Dense", units: 128}, ...]. An Error where one is not known. */
function listed(layers: unknown): Listed[] {
  if (!Array.isArray(layers)) throw new Error("its layers are no list");
  return layers.map((one: unknown) => {
    const fields = objectOf(one),
      called = fields["layer"];
    if (typeof called !== "string" || !Object.hasOwn(LAYERS, called))
      throw new Error(`it has a layer that is not known here (${String(called).slice(0, 40)})`);
    return { layer: LAYERS[called], fields };
  });
}

/** Whether all of the layers take several items at once. */
export function batched(layers: unknown): boolean {
  return listed(layers).every(
    ({ layer, fields }) =>
      layer.batches &&
      (!Array.isArray(fields["branches"]) || fields["branches"].every((branch: unknown) => batched(branch))),
  );
}

/** Lays out the layers one after the other; returns what comes out. `name` is what the names of their weights begin with. */
export function compile(plan: Plan, layers: unknown, x: Value, name: string, shared = false): Value {
  const all = listed(layers);
  const borderAfter =
    (place: number) =>
    (height: number, width: number): Border => {
      let next = place + 1;
      while (all[next]?.layer.inPlace) next++;
      const after = all[next];
      return after?.layer.border?.(after.fields, height, width) ?? NO_BORDER;
    };
  let value = x;
  all.forEach(({ layer, fields }, i) => {
    value = layer.compile(
      {
        plan,
        fields,
        name: `${name}.${i}`,
        border: borderAfter(i),
        shared: shared && value.at === x.at,
        compile: (inner, from, called, kept) => compile(plan, inner, from, called, kept),
      },
      value,
    );
  });
  return value;
}
