import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rememberingMinors } from "./proc-drbd-again.js";
import { parseProcDrbd } from "./proc-drbd.js";
import { damagedCopies, FUZZ_RUNS, samplesAt } from "./testing.js";

const HEADER = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 059B1B470318F053F5077D5 \n";

function minor(number: number, sentKib: number, state = "Connected"): string {
  return (
    ` ${number}: cs:${state} ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n` +
    `    ns:${sentKib} nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0\n`
  );
}

test("only minors whose lines changed are parsed again; the others are the same values", () => {
  const texts: string[] = [];
  const parse = rememberingMinors((text) => {
    texts.push(text);
    return parseProcDrbd(text);
  });
  const first = parse(HEADER + minor(0, 4) + minor(1, 4) + minor(2, 4));
  const second = parse(HEADER + minor(0, 4) + minor(1, 8) + minor(2, 4));
  expect(texts[1]).toBe(HEADER + minor(1, 8));
  expect(second.minors.map(({ networkSentKib }) => networkSentKib)).toEqual([4, 8, 4]);
  expect(second.minors[0]).toBe(first.minors[0]);
  expect(second.minors[2]).toBe(first.minors[2]);
});

test("a minor that goes, comes, or changes its place is seen so", () => {
  const parse = rememberingMinors(parseProcDrbd);
  parse(HEADER + minor(0, 4) + minor(1, 4));
  for (const text of [minor(1, 4), minor(1, 4) + minor(0, 4), "", minor(0, 4) + minor(3, 4) + minor(1, 4)])
    expect(parse(HEADER + text)).toEqual(parseProcDrbd(HEADER + text));
});

test("a damaged line, and a minor that is there twice, are told as they are of the whole text", () => {
  const parse = rememberingMinors(parseProcDrbd);
  parse(HEADER + minor(0, 4) + minor(1, 4));
  for (const text of [minor(0, 4) + minor(1, 4, "Conn3cted"), minor(0, 4) + minor(1, 4) + minor(0, 4)]) {
    expect(parse(HEADER + text)).toEqual(parseProcDrbd(HEADER + text));
    expect(parse(HEADER + text).damaged).not.toEqual([]);
  }
});

const SAMPLES = [...samplesAt("sources/proc-drbd/"), ...samplesAt("lab/proc_drbd_")].map(([, text]) => text);

test("whatever it read before, it answers as if it read for the first time", () => {
  const some = fc.array(fc.oneof(fc.constantFrom(...SAMPLES), damagedCopies(SAMPLES)), {
    minLength: 2,
    maxLength: 5,
  });
  fc.assert(
    fc.property(some, (texts) => {
      const parse = rememberingMinors(parseProcDrbd);
      for (const text of texts) expect(parse(text)).toEqual(parseProcDrbd(text));
    }),
    { numRuns: FUZZ_RUNS },
  );
});

test("whatever minors move from one second to the next, it answers as if it read for the first time", () => {
  const line = fc.tuple(
    fc.integer({ min: 0, max: 4 }),
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom("Connected", "WFConnection", "Conn3cted"),
  );
  const text = fc
    .array(line, { maxLength: 6 })
    .map((lines) => HEADER + lines.map(([n, sent, state]) => minor(n, sent, state)).join(""));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 6 }), (texts) => {
      const parse = rememberingMinors(parseProcDrbd);
      for (const each of texts) expect(parse(each)).toEqual(parseProcDrbd(each));
    }),
    { numRuns: FUZZ_RUNS },
  );
});
