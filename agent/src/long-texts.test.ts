/**
 * Texts from outside that are long, and made so that a pattern that can match them in many ways does not end in the time
 * of a test: a megabyte of blanks is a million times a million steps for it, and a moment for one that is linear.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { redact } from "./redact.js";
import { parseDmsetup } from "./sources/device-mapper.js";
import { parseDrbdsetupShow } from "./sources/drbd-config.js";
import { parseXlList } from "./sources/guests.js";
import { parseRecords } from "./sources/kernel-log.js";
import { parseLvmReport, warningLines } from "./sources/lvm-report.js";
import { parseMountinfo } from "./sources/mountinfo.js";
import { parseProcDrbd } from "./sources/proc-drbd.js";
import { parseProcNetTcp } from "./sources/proc-net-tcp.js";

const LENGTH = 1024 * 1024;

const LONG: readonly (readonly [string, string])[] = [
  ["blanks", " ".repeat(LENGTH)],
  ["tabs", "\t".repeat(LENGTH)],
  ["empty lines", "\n".repeat(LENGTH)],
  ["lines of a blank", " \n".repeat(LENGTH / 16)],
  ["quotation marks", '"'.repeat(LENGTH)],
  ["colons and blanks", ": ".repeat(LENGTH / 2)],
  ["open braces", "{\n".repeat(LENGTH / 16)],
];

const READERS: readonly (readonly [string, (text: string) => unknown])[] = [
  ["redact", redact],
  ["lvs", (text) => parseLvmReport(text, "lv")],
  ["warnings", warningLines],
  ["drbdsetup show", parseDrbdsetupShow],
  ["a resource", (text) => parseDrbdsetupShow(`resource "r" {\n${text}`)],
  ["/proc/drbd", parseProcDrbd],
  ["mountinfo", parseMountinfo],
  ["dmsetup info and table", (text) => parseDmsetup(text, text)],
  ["/proc/net/tcp", parseProcNetTcp],
  ["xl list", (text) => parseXlList(`Name ID Mem\n${text}`)],
  ["the kernel's log", (text) => parseRecords([`6,1,1,-;${text}`])],
];

describe.each(LONG)("a text of %s", (_what, text) => {
  test.each(READERS)("are read or refused by the reader of %s", (_reader, read) => {
    try {
      read(text);
    } catch (error) {
      expect(error).toMatchObject({ code: "PARSE_FAILED" });
    }
  });

  test.each(["shared-secret", "shared-secret=", '"secret"', 'shared-secret "', "auth key:"])(
    "behind %j are redacted, or left",
    (word) => {
      expect(redact(`${word}${text};`)).not.toBe("");
      expect(redact(`${word}${text}`.repeat(2))).not.toBe("");
    },
  );
});

test("no pattern looks for the first word of a line across the lines before it", () => {
  const literal = /\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*m[a-z]*/g;
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".ts") && !path.endsWith(".test.ts"),
  );
  const patterns = files.flatMap((path) =>
    [...readFileSync(join(import.meta.dirname, path), "utf8").matchAll(literal)].map(
      ([text]) => `${path}: ${text}`,
    ),
  );
  expect(patterns.length).toBeGreaterThan(3);
  expect(patterns.filter((text) => /\^(?:\(\?[:!=])?\\s[*+]/.test(text))).toEqual([]);
});
