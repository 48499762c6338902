/** What a kind of layer says: how its values come from those before. One is called like its class in models/layers. */

import type { Json } from "../../card";
import type { Border, Plan, Value } from "../plan";

export interface Context {
  readonly plan: Plan;
  /** Its fields, as run.json or layers.json lists them. */
  readonly fields: Json;
  /** Its weights are called so: `name`.weight and so on. */
  readonly name: string;
  /** The zeros that the layer after it wants around an output of this size. */
  readonly border: (height: number, width: number) => Border;
  /** Whether others still need the values that come in as they are. */
  readonly shared: boolean;
  /** Several layers one after the other, as another layer holds them. */
  readonly compile: (layers: unknown, x: Value, name: string, shared: boolean) => Value;
}

export interface Layer {
  /** Whether it takes several items at once. */
  readonly batches: boolean;
  /** Lays out the values that come out, and adds the steps that compute them. */
  compile(context: Context, x: Value): Value;
  /** The zeros it wants around a picture of this size; absent where it wants none. */
  border?(fields: Json, height: number, width: number): Border;
  /** Whether the picture that comes out is the one that came in, zeros and all. */
  readonly inPlace?: boolean;
}

/** A whole number above 0; an Error otherwise. */
export function count(fields: Json, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  throw new Error(`a layer's ${name} must be a whole number above 0`);
}
