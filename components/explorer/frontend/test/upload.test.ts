import { expect, test } from "vitest";
import { megabytes, outcome, refusal } from "../src/upload/upload";

test("sizes are said in megabytes", () =>
  expect([0, 1_499_999, 2e9].map(megabytes)).toEqual(["0 MB", "1 MB", "2000 MB"]));

test("a file that is too large is refused before it is sent, with both sizes", () => {
  expect(refusal(5e6, 5e6)).toBeNull();
  expect(refusal(6e6, 5e6)).toBe(
    "The file has 6 MB, and at most 5 MB are accepted. Bring a smaller file, or fewer samples.",
  );
});

test("the server's own sentence is shown, else its number", () => {
  expect(outcome(204, "")).toBe("It has arrived.");
  expect(outcome(413, "The file has 9 bytes.")).toBe("The file has 9 bytes.");
  expect(outcome(500, "")).toBe("The server answered 500.");
});
