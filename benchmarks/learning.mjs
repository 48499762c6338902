// Training in JavaScript, for Node (`node benchmarks/learning.mjs ...`) and for a page, which learning.py opens.

import { network } from "./plain_training.mjs";

const WIDTHS = [784, 128, 2, 128, 784],
  BATCH = 128;
const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];

/** Pictures of random strokes, of which about a fifth of the pixels are not black, as of MNIST. */
export function pictures(count, side) {
  let state = 1;
  const share = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const values = new Uint8Array(count * side * side);
  for (let i = 0; i < count; i++) {
    const angle = 3 * share(),
      away = (share() - 0.5) * 0.4 * side;
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const [u, v] = [x - side / 2, y - side / 2];
        const off = Math.abs(u * Math.cos(angle) + v * Math.sin(angle) - away) / side;
        if (off < 0.1 && Math.hypot(u, v) < 0.4 * side) values[(i * side + y) * side + x] = 255 * (1 - off / 0.1);
      }
  }
  return { values, count };
}

const spec = (side, widths, epochs) => ({
  shape: [side, side, 1],
  pixels: true,
  size: 2,
  widths,
  activation: "relu",
  variational: false,
  noise: "none",
  level: 0,
  rate: 0.004,
  epochs,
  batch: BATCH,
  seed: 1,
});

/**
 * Samples a second on 784-128-2-128-784, ours, in plain JavaScript and, where it is given, in TensorFlow.js: in turn, and the
 * median of so many turns; and the seconds of two whole trainings. clock: the seconds of a core that were used so far.
 */
export async function measured({ Trainer }, tf, turns, clock) {
  const samples = pictures(5000, 28);
  const ours = await Trainer.of(spec(28, [128], 1000), samples);
  const plain = network(WIDTHS, BATCH, 0.004);
  const batch = Float32Array.from(samples.values.subarray(0, BATCH * 784), (v) => v / 255);
  const theirs = tf && model(tf, batch);
  const kinds = {
    ours: [() => ours.step(), 60],
    plain: [() => plain(batch), 4],
    ...(theirs ? { theirs: [theirs, 4] } : {}),
  };
  const found = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (const [step] of Object.values(kinds)) for (let i = 0; i < 3; i++) await step();
  for (let turn = 0; turn < turns; turn++)
    for (const [name, [step, steps]] of Object.entries(kinds)) {
      const begun = await clock();
      for (let i = 0; i < steps; i++) await step();
      found[name].push((steps * BATCH) / ((await clock()) - begun));
    }
  const whole = async (side, count, epochs) => {
    const begun = await clock();
    const trainer = await Trainer.of(spec(side, [128], epochs), pictures(count, side));
    while (!trainer.done) trainer.step();
    return (await clock()) - begun;
  };
  const rates = Object.fromEntries(Object.entries(found).map(([name, all]) => [name, median(all)]));
  const seconds = { digits: [], mnist: [] };
  for (let turn = 0; turn < Math.min(3, turns); turn++) {
    seconds.digits.push(await whole(8, 1797, 30));
    seconds.mnist.push(await whole(28, 5000, 20));
  }
  return { ...rates, digits: median(seconds.digits), mnist: median(seconds.mnist) };
}

function model(tf, batch) {
  const layers = WIDTHS.slice(1).map((units, k) =>
    tf.layers.dense({
      units,
      activation: [null, null, null, "sigmoid"][k] ?? (k === 1 ? "linear" : "relu"),
      ...(k ? {} : { inputShape: [784] }),
    }),
  );
  const made = tf.sequential({ layers });
  made.compile({ optimizer: tf.train.adam(0.004), loss: "meanSquaredError" });
  const x = tf.tensor2d(batch, [BATCH, 784]);
  return () => made.trainOnBatch(x, x);
}

if (typeof process !== "undefined" && process.argv[1]?.endsWith("learning.mjs")) {
  const [built, turns, place] = process.argv.slice(2);
  const tf = place ? await import(place) : null;
  // Of the time that this process itself had: others may want the core, too.
  const used = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  console.log(JSON.stringify(await measured(await import(built), tf, Number(turns), used)));
}
