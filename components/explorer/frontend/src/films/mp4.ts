/**
 * An MP4 with one track of video that WebCodecs encoded (ISO 14496-12 and 14496-15; VP9 as the WebM project describes it).
 * The libraries for this weigh more than all else that makes films: mediabunny 32 kB packed, mp4-muxer, its predecessor, 9.
 */

/** What an encoder gave of a frame. Times are in hundredths of a second, in the order in which frames are shown. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly key: boolean;
  readonly time: number;
  readonly duration: number;
}

type Part = Uint8Array | readonly number[];
const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)];
const letters = (words: string): number[] => [...words].map((letter) => letter.charCodeAt(0));

function box(name: string, ...parts: Part[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 8));
  out.set([...u32(out.length), ...letters(name)]);
  let at = 8;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** With a version and flags. */
const full = (name: string, version: number, flags: number, ...parts: Part[]) =>
  box(name, [version, ...u32(flags).slice(1)], ...parts);
const table = (name: string, rows: readonly (readonly number[])[], version = 0) =>
  full(
    name,
    version,
    0,
    u32(rows.length),
    rows.flatMap((row) => row.flatMap(u32)),
  );

const SCALE = 100; // ticks of a second
const UNMOVED = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].flatMap(u32);

/** What WebCodecs calls the colours of a video, as numbers (ISO 23091-2); 2 is "not said". */
const COLOURS: Readonly<Record<string, number>> = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6, "iec61966-2-1": 13 };

/** What an encoder says of its packets. */
export interface Said {
  /** As WebCodecs calls it. */
  readonly codec: string;
  /** What a decoder of H.264 needs. */
  readonly description: Uint8Array | null;
  readonly colours: VideoColorSpaceInit;
}

/** Packets are as they were encoded. */
export function mp4(
  packets: readonly Packet[],
  width: number,
  height: number,
  { codec, description, colours }: Said,
): Uint8Array<ArrayBuffer> {
  const whole = packets.reduce((sum, { duration }) => sum + duration, 0);
  const durations = [...packets].sort((a, b) => a.time - b.time).map(({ duration }) => duration);
  let decoded = 0;
  const offsets = packets.map(({ time }, k) => {
    const offset = time - decoded;
    decoded += durations[k];
    return offset;
  });
  const isVp9 = codec.startsWith("vp09");
  const [profile, level, depth] = codec.split(".").slice(1).map(Number);
  const told = [colours.primaries, colours.transfer, colours.matrix].map((one) => COLOURS[one ?? ""] ?? 2),
    fullRange = colours.fullRange ? 1 : 0;
  const configuration = isVp9
    ? full("vpcC", 1, 0, [profile, level, (depth << 4) | (1 << 1) | fullRange, ...told], u16(0)) // 4:2:0
    : box("avcC", description!);
  const entry = box(
    isVp9 ? "vp09" : "avc1",
    [0, 0, 0, 0, 0, 0, ...u16(1), ...new Array<number>(16).fill(0), ...u16(width), ...u16(height)],
    [0x480000, 0x480000, 0].flatMap(u32), // 72 dots an inch
    [...u16(1), ...new Array<number>(32).fill(0), ...u16(24), 0xff, 0xff],
    configuration,
    box("colr", letters("nclx"), told.flatMap(u16), [fullRange << 7]),
  );
  const keys = packets.flatMap(({ key }, k) => (key ? [[k + 1]] : []));
  const header = (offset: number) =>
    box(
      "moov",
      full(
        "mvhd",
        0,
        0,
        [0, 0, SCALE, whole, 0x10000].flatMap(u32),
        u16(0x100),
        new Array<number>(10).fill(0),
        UNMOVED,
        new Array<number>(24).fill(0),
        u32(2),
      ),
      box(
        "trak",
        full(
          "tkhd",
          0,
          3,
          [0, 0, 1, 0, whole, 0, 0, 0, 0].flatMap(u32),
          UNMOVED,
          [width << 16, height << 16].flatMap(u32),
        ),
        box(
          "mdia",
          full("mdhd", 0, 0, [0, 0, SCALE, whole].flatMap(u32), [...u16(0x55c4), 0, 0]), // no language
          full("hdlr", 0, 0, u32(0), letters("vide"), new Array<number>(12).fill(0), letters("film"), [0]),
          box(
            "minf",
            full("vmhd", 0, 1, new Array<number>(8).fill(0)),
            box("dinf", full("dref", 0, 0, u32(1), full("url ", 0, 1))),
            box(
              "stbl",
              full("stsd", 0, 0, u32(1), entry),
              table(
                "stts",
                durations.map((duration) => [1, duration]),
              ),
              ...(offsets.some(Boolean)
                ? [
                    table(
                      "ctts",
                      offsets.map((offset) => [1, offset]),
                      1,
                    ),
                  ]
                : []),
              table("stss", keys),
              table("stsc", [[1, packets.length, 1]]),
              full(
                "stsz",
                0,
                0,
                u32(0),
                u32(packets.length),
                packets.flatMap(({ bytes }) => u32(bytes.length)),
              ),
              table("stco", [[offset]]),
            ),
          ),
        ),
      ),
    );
  const begin = box("ftyp", letters("isom"), u32(512), letters(isVp9 ? "isomiso2mp41" : "isomiso2avc1mp41"));
  const at = begin.length + header(0).length + 8;
  const data = box("mdat", ...packets.map(({ bytes }) => bytes));
  const file = new Uint8Array(at - 8 + data.length);
  file.set(begin);
  file.set(header(at), begin.length);
  file.set(data, at - 8);
  return file;
}
