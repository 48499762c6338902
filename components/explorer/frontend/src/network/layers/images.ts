/** Layers of images, which lie as (height, width, channels) here. */

import { NO_BORDER, panelsOf, type Border, type Picture, type Plan, type Value } from "../plan";
import { count, type Layer } from "./layer";
import { padded } from "./dense";

/** Weights (outputs, inputs, kernel, kernel) in panels: [panel][row of the kernel][pixel][input up to `room`][8]. */
function packed(weights: Float32Array, outputs: number, inputs: number, kernel: number, room: number): Float32Array {
  const taps = kernel * kernel,
    out = new Float32Array(8 * panelsOf(outputs) * taps * room);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      for (let t = 0; t < taps; t++)
        out[8 * ((o >> 3) * taps * room + t * room + i) + (o & 7)] = weights[(o * inputs + i) * taps + t];
  return out;
}

/** Zeros as Keras's "same" wants them: the odd one at the end. */
function paddingOf(kernel: number, stride: number, height: number, width: number): Border {
  const [down, across] = [height, width].map((n) => Math.max((Math.ceil(n / stride) - 1) * stride + kernel - n, 0));
  const top = down >> 1,
    left = across >> 1;
  return { top, left, bottom: down - top, right: across - left };
}

const strideOf = (fields: Readonly<Record<string, unknown>>): number =>
  fields["stride"] === undefined ? 1 : count(fields, "stride");

const convolution: Layer = {
  batches: false,
  border: (fields, height, width) => paddingOf(count(fields, "kernel"), strideOf(fields), height, width),
  compile({ plan, fields, name, border }, value) {
    const kernel = count(fields, "kernel"),
      stride = strideOf(fields),
      channels = count(fields, "channels");
    const [, tall, wide] = sizeOf(value),
      padding = paddingOf(kernel, stride, tall, wide);
    const x = bordered(plan, value, padding);
    const height = Math.ceil(x.height / stride),
      width = Math.ceil(x.width / stride),
      room = x.pixel >> 2;
    const weights = plan.weight(`${name}.weight`, channels, x.channels, kernel, kernel);
    const w = plan.constant(packed(weights, channels, x.channels, kernel, room));
    const b = plan.constant(padded(plan.weight(`${name}.bias`, channels)));
    const y = plan.picture(channels, height, width, border(height, width)),
      panels = panelsOf(channels);
    const from = x.at - padding.top * x.line - padding.left * x.pixel;
    const [xLine, xRow, length, segment] = [stride * x.line, stride * x.pixel, kernel * room, x.line];
    plan.step((kernels) =>
      kernels.multiply(from, xLine, xRow, kernel, length, segment, w, b, y.at, y.line, y.pixel, height, width, panels),
    );
    return y;
  },
};

/** A value's (channels, height, width). */
const sizeOf = (x: Value): readonly number[] => (x.kind === "picture" ? [x.channels, x.height, x.width] : x.shape);

const EDGES = ["top", "left", "bottom", "right"] as const;

/** The value as a picture with at least these zeros around it. Those that layers made for a convolution have them. */
function bordered(plan: Plan, value: Value, border: Border): Picture {
  if (value.kind === "rows") return plan.pictured(value, border);
  if (EDGES.every((edge) => value.border[edge] >= border[edge])) return value;
  const y = plan.picture(value.channels, value.height, value.width, border);
  plan.copy(
    value.at,
    y.at,
    [value.height, value.width, value.channels],
    [value.line, value.pixel, 4],
    [y.line, y.pixel, 4],
  );
  return y;
}

const groupNorm: Layer = {
  batches: false,
  inPlace: true,
  compile({ plan, fields, name, border, shared }, value) {
    const [, tall, wide] = sizeOf(value);
    const x = plan.pictured(shared ? plan.own(value) : value, border(tall, wide)),
      groups = count(fields, "groups");
    if (x.channels % groups) throw new Error(`${x.channels} channels are not ${groups} groups`);
    const w = plan.constant(plan.weight(`${name}.weight`, x.channels)),
      b = plan.constant(plan.weight(`${name}.bias`, x.channels));
    const room = x.pixel >> 2,
      scratch = plan.room(2 * room);
    plan.step((kernels) =>
      kernels.normaliseGroups(x.at, x.line, x.pixel, x.height, x.width, room, x.channels, groups, w, b, scratch),
    );
    return x;
  },
};

const maxPool: Layer = {
  batches: false,
  compile({ plan, border }, value) {
    const x = plan.pictured(value, NO_BORDER);
    const y = plan.picture(x.channels, x.height >> 1, x.width >> 1, border(x.height >> 1, x.width >> 1));
    plan.step((kernels) => kernels.pool(x.at, x.line, x.pixel, y.at, y.line, y.pixel, y.height, y.width, y.channels));
    return y;
  },
};

const upsample: Layer = {
  batches: false,
  compile({ plan, border }, value) {
    const x = plan.pictured(value, NO_BORDER);
    const y = plan.picture(x.channels, 2 * x.height, 2 * x.width, border(2 * x.height, 2 * x.width));
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 2; j++)
        plan.copy(
          x.at,
          y.at + i * y.line + j * y.pixel,
          [x.height, x.width, x.channels],
          [x.line, x.pixel, 4],
          [2 * y.line, 2 * y.pixel, 4],
        );
    return y;
  },
};

const pixelShuffle: Layer = {
  batches: false,
  compile({ plan, fields, border }, value) {
    const x = plan.pictured(value, NO_BORDER),
      r = count(fields, "factor");
    if (x.channels % (r * r)) throw new Error(`${x.channels} channels do not become ${r} x ${r} pixels`);
    const y = plan.picture(x.channels / (r * r), r * x.height, r * x.width, border(r * x.height, r * x.width));
    for (let i = 0; i < r; i++)
      for (let j = 0; j < r; j++)
        plan.copy(
          x.at + 4 * (i * r + j),
          y.at + i * y.line + j * y.pixel,
          [x.height, x.width, y.channels],
          [x.line, x.pixel, 4 * r * r],
          [r * y.line, r * y.pixel, 4],
        );
    return y;
  },
};

const channelsFirst: Layer = {
  batches: false,
  compile({ plan, fields, border }, value) {
    const x = plan.flat(value),
      [height, width, channels] = x.shape;
    const multiple = fields["multiple"] === undefined ? 1 : count(fields, "multiple");
    const [tall, wide] = [height, width].map((n) => Math.ceil(n / multiple) * multiple);
    const y = plan.picture(channels, tall, wide, border(tall, wide)); // what is not copied to stays 0
    plan.copy(x.at, y.at, [height, width, channels], [4 * width * channels, 4 * channels, 4], [y.line, y.pixel, 4]);
    return y;
  },
};

const channelsLast: Layer = {
  batches: false,
  compile({ plan, fields }, value) {
    const x = plan.pictured(value, NO_BORDER),
      height = count(fields, "height"),
      width = count(fields, "width");
    const y = plan.rows([height, width, x.channels]);
    const to = [4 * width * x.channels, 4 * x.channels, 4];
    plan.copy(x.at, y.at, [height, width, x.channels], [x.line, x.pixel, 4], to);
    return y;
  },
};

export const IMAGES: Record<string, Layer> = {
  Convolution: convolution,
  GroupNorm: groupNorm,
  MaxPool: maxPool,
  Upsample: upsample,
  PixelShuffle: pixelShuffle,
  ChannelsFirst: channelsFirst,
  ChannelsLast: channelsLast,
};
