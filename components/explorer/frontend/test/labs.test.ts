import { describe, expect, test } from "vitest";
import { along, marksOf, movedBy, reaching, short, valueAt } from "../src/labs/chart";
import { psnrOf } from "../src/labs/compress-answer";
import { numberIn } from "../src/labs/parts";
import { above, cheapest, confusion, cost, outline } from "../src/labs/threshold";
import { formatBytes, verdict, type Standing } from "../src/labs/compress-verdict";

const LINE = [
  [1, 10],
  [4, 20],
  [16, 40],
] as const;

describe("lines on a logarithmic axis", () => {
  test("between two points the height is in proportion to the logarithm", () => {
    expect(along(LINE, 2)).toBeCloseTo(15, 6);
    expect(along(LINE, 8)).toBeCloseTo(30, 6);
    expect(along(LINE, 0.5)).toBeNull();
    expect(along(LINE, 100)).toBe(40);
  });

  test("the place where a height is reached is the inverse", () => {
    for (const x of [1, 2, 3.7, 9, 16]) expect(reaching(LINE, along(LINE, x) ?? 0)).toBeCloseTo(x, 6);
    expect(reaching(LINE, 5)).toBe(1);
    expect(reaching(LINE, 41)).toBeNull();
  });

  test("marks are round and within the axis", () => {
    expect(marksOf({ title: "", log: true, low: 0.9, high: 22 }, 7)).toEqual([1, 2, 5, 10, 20]);
    expect(short(25_000)).toBe("25k");
    expect(short(1.23456)).toBe("1.23");
  });
});

describe("the handle of a chart", () => {
  const steps = { title: "", low: 1, high: 10, stops: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] };
  const counts = { title: "", log: true, low: 1, high: 100, stops: [1, 2, 5, 20, 50] };
  const RIGHT = 0.01; // what an arrow key moves

  test("stands at the nearest stop, where there are stops", () => {
    expect([0, 0.04, 0.06, 0.45, 2].map((share) => valueAt(steps, share))).toEqual([1, 1, 2, 5, 10]);
    expect([-1, 0.07, 0.08, 0.7].map((share) => valueAt(counts, share))).toEqual([1, 1, 2, 20]);
    expect(valueAt({ title: "", log: true, low: 1, high: 100 }, 0.5)).toBeCloseTo(10, 9);
  });

  test("a key always moves it, by a stop at least, and never beyond an end", () => {
    for (const axis of [steps, counts]) {
      const walked = [axis.stops[0]];
      for (let i = 0; i < 12; i++) walked.push(movedBy(axis, walked[i], RIGHT));
      expect([...new Set(walked)]).toEqual(axis.stops);
      expect(movedBy(axis, axis.stops[3], -RIGHT)).toBe(axis.stops[2]);
      expect(movedBy(axis, axis.stops[0], -0.1)).toBe(axis.stops[0]);
    }
    expect(movedBy({ title: "", low: 0, high: 10 }, 5, RIGHT)).toBeCloseTo(5.1, 9);
  });
});

describe("what a link asks for", () => {
  test("is a number between two ends, or what is usual", () => {
    const view = { at: "7", far: "1e9", odd: "NaN", none: "", nought: "0" };
    expect(["at", "far", "odd", "none", "missing", "nought"].map((name) => numberIn(view, name, 3, 1, 9))).toEqual([
      7, 9, 3, 3, 3, 1,
    ]);
  });
});

describe("the verdict", () => {
  const mine = [
    [10, 20],
    [20, 25],
  ] as const;
  const standing = (more: Partial<Standing>): Standing => ({
    rate: 20,
    images: 1000,
    mine,
    others: [
      {
        title: "AVIF",
        points: [
          [30, 22],
          [40, 25],
          [80, 35],
        ],
      },
    ],
    decoder: null,
    similarity: false,
    ...more,
  });

  test("at as good an image, the fewer bytes win", () => {
    expect(verdict(standing({}))).toBe(
      "The autoencoder wins: 25.0 dB takes 20 bytes an image with this autoencoder, 40 bytes with AVIF. " +
        "The decoder itself is not counted.",
    );
  });

  test("with its decoder counted it can lose, and it is said from where on it wins", () => {
    const shared = mine.map(([x, y]) => [x + 60, y] as const); // 60,000 bytes, a thousand images
    const words = verdict(standing({ mine: shared, rate: 80, decoder: 60_000 }));
    expect(words).toMatch(/^AVIF wins: 25.0 dB takes 80 bytes an image with this autoencoder, 40 bytes with AVIF\./);
    expect(words).toMatch(/from 3,000 images on this autoencoder beats AVIF\.$/); // 60,000 / (40 - 20)
  });

  test("beyond its best it loses however many bytes it is given", () => {
    expect(verdict(standing({ rate: 60 }))).toMatch(/^AVIF wins: with 60 bytes an image it reaches 30\.8 dB/);
  });

  test("it can lose without the decoder, too, and it can be a tie", () => {
    const better = [{ title: "PCA", points: [[5, 25] as const] }];
    expect(verdict(standing({ others: better, decoder: 1000, mine, rate: 20 }))).toMatch(
      /even without it PCA would be smaller\.$/,
    );
    expect(verdict(standing({ others: [{ title: "PCA", points: [[20.2, 25] as const] }] }))).toMatch(/^A tie/);
  });

  test("below its smallest it says what it needs", () => {
    expect(verdict(standing({ rate: 5 }))).toBe("This autoencoder needs 10 bytes an image at least.");
    expect(formatBytes(123_456)).toBe("123 KB");
  });

  test("one level of 255 off everywhere is 48.1 dB", () => {
    expect(psnrOf([1, 2, 3], [2, 3, 4])).toBeCloseTo(20 * Math.log10(255), 6);
  });
});

describe("a threshold", () => {
  const scores = { normal: [1, 2, 2, 3, 8], other: [2.5, 6, 7, 9] };

  test("what is above it is an alarm, what is equal is not", () => {
    expect(above([1, 2, 2, 3], 2)).toBe(1);
    expect(above([1, 2, 2, 3], 0)).toBe(4);
    expect(confusion(scores, 3)).toEqual({ found: 3, missed: 1, falseAlarms: 1, quiet: 4 });
  });

  test("the cheapest depends on what a miss costs", () => {
    expect(cost(confusion(scores, 3), 10, 1)).toBe(11);
    expect(cheapest(scores, 0.5, 1)).toBe(3); // one missed, one false alarm
    expect(cheapest(scores, 100, 1)).toBe(2); // two false alarms are cheaper than the one that was missed
    for (const miss of [1, 5, 100])
      for (const level of [0, ...scores.normal, ...scores.other])
        expect(cost(confusion(scores, cheapest(scores, miss, 1)), miss, 1)).toBeLessThanOrEqual(
          cost(confusion(scores, level), miss, 1),
        );
  });

  test("a histogram holds all values, also those on its edges", () => {
    const line = outline(scores.normal, 1, 8, 7);
    expect(line.length).toBe(14);
    expect(line.reduce((sum, [, share], i) => sum + (i % 2 ? 0 : share), 0)).toBeCloseTo(100, 6);
  });
});
