/** Layers along a sequence (steps, values). */

import { panelsOf, type Rows } from "../plan";
import { packed, padded } from "./dense";
import { count, type Layer } from "./layer";

const eachStep: Layer = {
  batches: false,
  compile({ plan, fields, name }, value) {
    const x = plan.flat(value),
      [steps, inputs] = x.shape,
      units = count(fields, "units");
    const w = plan.constant(packed(plan.weight(`${name}.weight`, units, inputs), units, inputs));
    const b = plan.constant(padded(plan.weight(`${name}.bias`, units)));
    const panels = panelsOf(units),
      row = 32 * panels;
    const y: Rows = { kind: "rows", at: plan.room(8 * panels * steps), shape: [steps, units], item: row * steps, row };
    plan.step((kernels) => kernels.multiply(x.at, 0, x.row, 1, inputs, 0, w, b, y.at, 0, row, 1, steps, panels));
    return y;
  },
};

const repeat: Layer = {
  batches: false,
  compile({ plan, fields }, value) {
    const x = plan.flat(value),
      steps = count(fields, "steps"),
      y = plan.rows([steps, x.shape[0]]);
    plan.copy(x.at, y.at, [1, steps, x.shape[0]], [0, 0, 4], [0, y.row, 4]);
    return y;
  },
};

const patches: Layer = {
  batches: false,
  compile({ plan, fields }, value) {
    const x = plan.flat(value),
      [steps, values] = x.shape,
      size = count(fields, "size"),
      y = plan.rows([Math.ceil(steps / size), size * values]);
    plan.copy(x.at, y.at, [1, 1, steps * values], [0, 0, 4], [0, 0, 4]); // nothing is written behind: zeros stay there
    return y;
  },
};

const unpatch: Layer = {
  batches: false,
  compile({ plan, fields }, value) {
    const x = plan.flat(value),
      [patched, values] = x.shape,
      steps = count(fields, "steps"),
      features = Math.floor(values / Math.ceil(steps / patched));
    return { ...x, shape: [steps, features], row: 4 * features };
  },
};

const recurrent: Layer = {
  batches: false,
  compile({ plan, fields, name }, value) {
    const x = plan.flat(value),
      [steps, inputs] = x.shape,
      units = count(fields, "units"),
      kind = fields["kind"] === "gru" ? "gru" : "lstm";
    const gates = units * (kind === "gru" ? 3 : 4),
      panels = panelsOf(gates),
      room = 32 * panels; // bytes
    const constants = (part: string, from: number) => [
      plan.constant(packed(plan.weight(`${name}.weight_${part}_l0`, gates, from), gates, from)),
      plan.constant(padded(plan.weight(`${name}.bias_${part}_l0`, gates))),
    ];
    const [w, b] = constants("ih", inputs),
      [v, c] = constants("hh", units);
    const given = plan.room((room >> 2) * steps),
      recalled = plan.room(room >> 2),
      cell = plan.room(units);
    // The state before the first step is 0; each later one lies behind the one before.
    const row = 4 * Math.ceil(units / 4) * 4,
      before = plan.room((row >> 2) * (steps + 1)),
      nought = plan.constant(new Float32Array(units));
    plan.step((kernels) => {
      kernels.copy(nought, cell, 1, 1, units, 0, 0, 4, 0, 0, 4);
      kernels.multiply(x.at, 0, x.row, 1, inputs, 0, w, b, given, 0, room, 1, steps, panels);
      for (let t = 0; t < steps; t++) {
        const state = before + t * row;
        kernels.multiply(state, 0, 0, 1, units, 0, v, c, recalled, 0, 0, 1, 1, panels);
        if (kind === "lstm") kernels.lstm(given + t * room, recalled, cell, state + row, units);
        else kernels.gru(given + t * room, recalled, state, state + row, units);
      }
    });
    return fields["every"] === true
      ? { kind: "rows", at: before + row, shape: [steps, units], item: steps * row, row }
      : { kind: "rows", at: before + steps * row, shape: [units], item: row, row };
  },
};

export const STEPS: Record<string, Layer> = {
  EachStep: eachStep,
  Repeat: repeat,
  Patches: patches,
  Unpatch: unpatch,
  Recurrent: recurrent,
};
