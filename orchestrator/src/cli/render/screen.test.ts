import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { wrapped, type Screen } from "./screen.js";
import { printable } from "../../wording/printable.js";

function screen(width?: number): Screen {
  return { width, colour: createColors(false), now: 0 };
}

test("sentences are broken between words, and a word that is too long is left whole", () => {
  expect(wrapped("one two three four five", screen(24), "  - ")).toEqual([
    "  - one two three four",
    "    five",
  ]);
  expect(wrapped("a /dev/disk/by-id/wwn-0x5000c500a1b2c3d4 b", screen(22))).toEqual([
    "  a",
    "  /dev/disk/by-id/wwn-0x5000c500a1b2c3d4",
    "  b",
  ]);
});

test("lines that were lines before stay so, with what they were set in by", () => {
  expect(wrapped("both sides:\n  h1  written today\n  h2", screen(80), "- ")).toEqual([
    "- both sides:",
    "    h1  written today",
    "    h2",
  ]);
});

test("on a pipe nothing is broken", () => {
  const long = "word ".repeat(60).trim();
  expect(wrapped(long, screen())).toEqual([`  ${long}`]);
});

test("what a guest named its disk moves no cursor", () => {
  expect(printable({ name: "a\u001b[2Jb\u202e" })).toEqual({ name: "a\ufffd[2Jb\ufffd" });
});
