import { describe, expect, test } from "vitest";
import * as plan from "../src/films/choreography";
import { Gif } from "../src/films/gif";
import { mp4, type Packet } from "../src/films/mp4";
import { pixelsOf, webp } from "../src/films/webp";
import { axisPlane } from "../src/maths";

const code = (...values: number[]) => Float32Array.from(values);
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

describe("what a film shows", () => {
  const base = code(0.5, 0, 9);
  const facts = {
    size: 3,
    low: [-1, -2, 9],
    high: [1, 2, 9],
    variance: [1, 4, 0],
    kl: null,
    dead: [false, false, true],
  };

  test("a loop shows its first frame once, a film that ends shows its last", () => {
    const stops = [code(0, 0), code(4, 0)];
    expect(plan.path(stops, 4, true).map(([x]) => x)).toEqual([0, 2, 4, 2]);
    expect(plan.path(stops, 5, false).map(([x]) => x)).toEqual([0, 1, 2, 3, 4]);
  });

  test("a dimension goes down, up and back, the others are held, dead ones left out", () => {
    const order = plan.dimensionsOf(facts);
    expect(order).toEqual([1, 0]);
    const codes = plan.dimensions(base, facts, order, 33, false);
    expect(codes[0]).toEqual(base);
    expect(codes[32]).toEqual(base);
    expect(codes.slice(0, 16).every(([x, , z]) => x === 0.5 && z === 9)).toBe(true);
    expect(Math.min(...codes.map(([, y]) => y))).toBe(-2);
    expect(Math.max(...codes.map(([, y]) => y))).toBe(2);
    expect(plan.dimensionsOf({ ...facts, dead: [true, true, true] })).toEqual([1, 0, 2]);
  });

  test("the walk is an ellipse around the points, whatever is not finite", () => {
    const plane = axisPlane(code(-2, 5, 2, 5, NaN, 5, 0, 8, 0, 2), 2, 0, 1);
    const codes = plan.walk(plane, code(7, 7), 4, true);
    const across = 1.5 * Math.sqrt(2);
    expect(codes[0][0]).toBeCloseTo(across);
    expect(codes[2][0]).toBeCloseTo(-across);
    expect(codes[1][1] - 5).toBeCloseTo(5 - codes[3][1]);
  });

  test("frames last as long together as was asked; the replay rests", () => {
    const count = plan.framesOf(7.5, 15);
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    expect(count).toBe(113);
    expect(sum(plan.hundredthsOf("walk", 90, 15))).toBe(600);
    expect(new Set(plan.hundredthsOf("walk", 90, 15))).toEqual(new Set([6, 7]));
    expect(plan.hundredthsOf("replay", 90, 15).at(-1)).toBeGreaterThan(100);
    expect(plan.epochs(5, 3)).toEqual([0, 0.5, 1, 1.5, 2]);
  });

  test("stops are samples in the middle of their classes, else some as they come", () => {
    const codes = code(0, 1, 2, 10, 11, 19, NaN, 5);
    const labels = [0, 0, 0, 2, 2, 2, 2, -1];
    expect(plan.stopsOf(codes, 1, labels, 3)).toEqual([1, 4]);
    expect(plan.stopsOf(codes, 1, null, 0)).toEqual([0, 2, 4, 7]);
    expect(plan.stopsOf(codes, 1, labels, 1)).toEqual([0, 2, 4, 7]);
  });
});

/** The blocks of a GIF that begin a frame: where each is, and how long it is shown. */
function framesOf(file: Uint8Array): { hundredths: number; transparent: boolean }[] {
  let at = 13 + 3 * 2 ** ((file[10] & 7) + 1);
  const frames = [];
  const skip = () => {
    while (file[at]) at += file[at] + 1;
    at++;
  };
  while (file[at] !== 0x3b) {
    if (file[at] === 0x21 && file[at + 1] === 0xf9)
      frames.push({ hundredths: file[at + 4] | (file[at + 5] << 8), transparent: (file[at + 3] & 1) === 1 });
    at += file[at] === 0x21 ? 2 : 11;
    skip();
  }
  return frames;
}

describe("files", () => {
  const picture = (shade: number) => {
    const pixels = new Uint8ClampedArray(4 * 64 * 64).fill(255);
    for (let i = 0; i < 4 * 64; i++) pixels[i] = i % 4 === 3 ? 255 : shade;
    return pixels;
  };

  test("a GIF has its frames; what stays is transparent and costs little", () => {
    const gif = new Gif(64, 64, true, picture(0), true);
    gif.add(picture(0), 7);
    const first = gif.end().length;
    const more = new Gif(64, 64, true, picture(0), true);
    for (let k = 0; k < 5; k++) more.add(picture(20 * k), 7 + k);
    const file = more.end();
    expect(text(file.subarray(0, 6))).toBe("GIF89a");
    expect(text(file)).toContain("NETSCAPE2.0");
    expect(framesOf(file).map(({ hundredths }) => hundredths)).toEqual([7, 8, 9, 10, 11]);
    expect(framesOf(file).map(({ transparent }) => transparent)).toEqual([false, true, true, true, true]);
    expect(file.length - first).toBeLessThan(4 * 200);
    const once = new Gif(64, 64, false, picture(0), false);
    once.add(picture(0), 7);
    expect(text(once.end())).not.toContain("NETSCAPE2.0");
  });

  test("WebP: the pixels of each picture, without what else a browser writes", () => {
    const chunk = (name: string, ...bytes: number[]) =>
      [...name].map((c) => c.charCodeAt(0)).concat(bytes.length, 0, 0, 0, bytes, bytes.length % 2 ? [0] : []);
    const file = Uint8Array.from(
      [...chunk("RIFF"), ...[..."WEBP"].map((c) => c.charCodeAt(0))]
        .slice(0, 12)
        .concat(
          chunk("VP8X", ...new Array<number>(10).fill(0)),
          chunk("ICCP", 1, 2, 3),
          chunk("ALPH", 4, 5, 6),
          chunk("VP8 ", 7, 8),
        ),
    );
    expect(pixelsOf(file).map((part) => [text(part.subarray(0, 4)), part.length])).toEqual([
      ["ALPH", 12],
      ["VP8 ", 10],
    ]);
    expect(() => pixelsOf(Uint8Array.from(chunk("\x89PNG", 1, 2, 3, 4)))).toThrow("something else than WebP");
    const moving = webp([file, file], 300, 20, [7, 1000], false);
    expect(new DataView(moving.buffer).getUint32(4, true)).toBe(moving.length - 8);
    const anim = text(moving).indexOf("ANIM");
    expect(moving[anim + 12]).toBe(1); // once
    const second = text(moving).lastIndexOf("ANMF");
    expect([...moving.subarray(second + 14, second + 24)]).toEqual([43, 1, 0, 19, 0, 0, 16, 39, 0, 0]);
  });

  test("MP4: the index leads to the packets, also where they were encoded out of order", () => {
    const packet = (value: number, time: number, duration: number): Packet => ({
      bytes: new Uint8Array(5).fill(value),
      key: time === 0,
      time,
      duration,
    });
    const said = { codec: "avc1.42001f", description: Uint8Array.from([1, 66]), colours: { matrix: "bt709" as const } };
    const file = mp4([packet(1, 0, 7), packet(2, 14, 9), packet(3, 7, 7)], 64, 32, said);
    const view = new DataView(file.buffer);
    const at = (name: string) => text(file).indexOf(name);
    expect(view.getUint32(at("stco") + 12)).toBe(at("mdat") + 4);
    expect([...file.subarray(at("mdat") + 4)]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    const pairs = (name: string) => [0, 1, 2].map((i) => view.getInt32(at(name) + 16 + 8 * i));
    expect(pairs("stts")).toEqual([7, 7, 9]);
    expect(pairs("ctts")).toEqual([0, 7, -7]);
    expect(view.getUint32(at("mdhd") + 20)).toBe(23);
    const plain = mp4([packet(1, 0, 7), packet(2, 7, 7)], 64, 32, { ...said, codec: "vp09.00.40.08" });
    expect(text(plain)).not.toContain("ctts");
    expect(text(plain)).toContain("vpcC");
  });
});
