import { expect, test } from "vitest";
import { amount, classColours, CLASSES, contrast, luminance, onPaper, parse, shade } from "../src/colours";

test("colours are read as pages write them", () => {
  expect(parse("#0072B2")).toEqual([0, 114, 178]);
  expect(parse(" #fa0 ")).toEqual([255, 170, 0]);
  expect(parse("rgb(1, 2, 3)")).toEqual([1, 2, 3]);
  expect(parse("rgba(1 2 3 / 0.5)")).toEqual([1, 2, 3]);
  for (const wrong of ["", "red", "#12", "rgb(a, b, c)", "url(x)"]) expect(parse(wrong)).toBeNull();
});

test("amounts run from dark to light and stay inside", () => {
  expect(amount(0)).toEqual([68, 1, 84]);
  expect(amount(1)).toEqual([253, 231, 37]);
  expect(amount(-3)).toEqual(amount(0));
  expect(amount(7)).toEqual(amount(1));
  let last = -1;
  for (let i = 0; i <= 20; i++) {
    const now = luminance(amount(i / 20));
    expect(now).toBeGreaterThan(last);
    last = now;
  }
});

test("every class has a colour; the palette starts again at its end and skips what is no colour", () => {
  expect(classColours(3, ["#000000", "nonsense", "#ffffff"])).toEqual([
    [0, 0, 0],
    [255, 255, 255],
    [0, 0, 0],
  ]);
  expect(classColours(2, [])).toEqual(CLASSES.slice(0, 2).map(parse));
  expect(classColours(0)).toEqual([]);
  expect(new Set(classColours(CLASSES.length).map(String)).size).toBe(CLASSES.length);
});

test("contrast as WCAG defines it", () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
  expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.48, 2);
  expect(contrast([10, 20, 30], [10, 20, 30])).toBe(1);
});

test("classes stand out from a dark page, and keep their colours on a light one", () => {
  const dark = parse("#11171D")!,
    light = parse("#ffffff")!;
  for (const name of [...CLASSES, "#8800FF", "#884422", "#0072B2", "#000000"]) {
    const colour = parse(name)!;
    expect(contrast(onPaper(colour, dark), dark)).toBeGreaterThanOrEqual(4);
    expect(onPaper(colour, light)).toEqual(colour);
  }
  expect(onPaper(parse("#E69F00")!, dark)).toEqual(parse("#E69F00")); // what stands out is left alone
});

test("amounts of layers are no colour that a point has", () => {
  for (const share of [-1, 0, 0.3, 1, 2]) {
    const [r, g, b, opacity] = shade(share);
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThan(30);
    expect(opacity).toBeGreaterThanOrEqual(0);
    expect(opacity).toBeLessThanOrEqual(255);
  }
  expect(shade(0)[3]).toBe(0);
  expect(shade(0.5)[3]).toBeLessThan(shade(1)[3]);
});
