import { describe, expect, it } from "vitest";
import { bytesOf } from "../src/letters";

describe("bytes as letters", () => {
  it("are read as models/blocks.py writes them", () => {
    expect([...bytesOf("")]).toEqual([]);
    expect([...bytesOf("##")]).toEqual([0]);
    expect([...bytesOf("K%")]).toEqual([222]);
    expect([...bytesOf("m%#")]).toEqual([0, 1]);
  });
});
