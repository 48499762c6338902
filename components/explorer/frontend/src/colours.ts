/** Colours: one palette for classes, one scale for amounts. Numbers in, numbers out. */

export type Rgb = readonly [number, number, number];

/** Used only where the page sends none: Okabe and Ito's eight, then four that stay apart for colour-blind eyes. */
export const CLASSES: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#d55e00",
  "#56b4e9",
  "#cc79a7",
  "#f0e442",
  "#8c8c8c",
  "#5a2d91",
  "#7a3b1d",
  "#a6d96a",
  "#f6a6b2",
];

/** Stops of viridis (van der Walt and Smith 2015): even steps to the eye, readable in grey and by colour-blind eyes. */
const VIRIDIS: readonly Rgb[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
];

export function amount(share: number): Rgb {
  const at = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1);
  const i = Math.min(VIRIDIS.length - 2, Math.floor(at)),
    f = at - i;
  const [a, b] = [VIRIDIS[i], VIRIDIS[i + 1]];
  return [0, 1, 2].map((k) => Math.round(a[k] + (b[k] - a[k]) * f)) as unknown as Rgb;
}

/** How a layer shows amounts: one grey, more or less opaque, which no point has and which suits light and dark paper. */
export const shade = (share: number): readonly [...Rgb, number] => [
  ...SHADE,
  Math.round(235 * Math.max(0, Math.min(1, share))),
];
const SHADE: Rgb = [122, 130, 146];

/** "#rgb", "#rrggbb", "rgb(r, g, b)" or "rgba(…)"; null for anything else. */
export function parse(colour: string): Rgb | null {
  const text = colour.trim();
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  if (short) return [1, 2, 3].map((i) => parseInt(short[i] + short[i], 16)) as unknown as Rgb;
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(text);
  if (long) return [1, 2, 3].map((i) => parseInt(long[i], 16)) as unknown as Rgb;
  const call = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/i.exec(text);
  return call ? ([1, 2, 3].map((i) => Number(call[i])) as unknown as Rgb) : null;
}

/** The class colours as numbers. Past the palette's end it starts again: a legend still names each class. */
export function classColours(count: number, palette: readonly string[] = CLASSES): Rgb[] {
  const known = palette.map(parse).filter((c): c is Rgb => c !== null);
  const colours = known.length ? known : CLASSES.map((c) => parse(c)!);
  return Array.from({ length: count }, (_, i) => colours[i % colours.length]);
}

/** As CSS writes it. */
export const cssColour = (colour: Rgb): string => `rgb(${colour.join(" ")})`;

/** Relative luminance (WCAG 2.2). */
export function luminance([r, g, b]: Rgb): number {
  const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

/** The colour, mixed with white until it stands out from a dark paper; as it is on a light one. */
export function onPaper(colour: Rgb, paper: Rgb, least = 4): Rgb {
  if (luminance(paper) > 0.2) return colour;
  for (let share = 0; ; share += 0.05) {
    const mixed = colour.map((v) => Math.round(v + (255 - v) * share)) as unknown as Rgb;
    if (share >= 1 || contrast(mixed, paper) >= least) return mixed;
  }
}

export const contrast = (a: Rgb, b: Rgb): number => {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (hi + 0.05) / (lo + 0.05);
};
