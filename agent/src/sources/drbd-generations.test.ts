import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sameGeneration } from "../guards/same-generation.js";
import { drbdGenerations, parseGenerations } from "./drbd-generations.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample } from "./testing.js";

const firstLine = (path: string): string => sample(path).split("\n")[0] ?? "";
const PRIMARY = firstLine("lab/drbdsetup_gi_primary.txt");

test("the lab's Primary tells its current, bitmap and history generations, and its flags", () => {
  expect(parseGenerations(`${PRIMARY}\n`, 3)).toEqual({
    minor: 3,
    currentUuid: "CC8CB4269847333F",
    bitmapUuid: "98D206154372FB11",
    historyUuids: ["98D106154372FB11", "98D006154372FB11"],
    flags: "1:1:1:1:0:1:0",
  });
});

test("two ends of a split brain differ in their current generation, and share the one of their bitmaps", () => {
  const [, h2 = "", , h3 = ""] = sample("lab/drbdsetup_gi_split_brain.txt").split("\n");
  const [a, b] = [parseGenerations(h2, 0), parseGenerations(h3, 0)];
  expect(sameGeneration(a.currentUuid, b.currentUuid)).toBe(false);
  expect(sameGeneration(a.bitmapUuid, b.bitmapUuid)).toBe(true);
});

test("that one end is Primary makes no other generation, and what is no generation is like none", () => {
  expect(sameGeneration("A876B5BE329C3969", "A876B5BE329C3968")).toBe(true);
  expect(sameGeneration("A876B5BE329C3969", "A876B5BE329C396A")).toBe(false);
  expect(sameGeneration("", "A876B5BE329C3969")).toBe(false);
});

test.each([
  ["nothing", ""],
  ["a refusal", "0: Failure: (118) IO error(s) occurred during initial access to meta-data.\n"],
  ["more than one line", `${PRIMARY}\n${PRIMARY}\n`],
  ["a line that is cut", PRIMARY.slice(0, 60)],
  ["no flags", PRIMARY.slice(0, 67)],
])("%s is refused, and no generation", (_what, text) => {
  expect(() => parseGenerations(text, 0)).toThrow("not understood");
});

test("it is asked of the minor that is named, and a node without DRBD has none", async () => {
  const asked: string[] = [];
  const run = ({ args }: { args: readonly string[] }) => (asked.push(args.join(" ")), { stdout: PRIMARY });
  const host = fakeHost({ files: { "/proc/drbd": "" }, run });
  expect(await drbdGenerations.read(host, { minor: 18, jobId: 0 })).toMatchObject({
    facts: { value: { minor: 18 } },
  });
  expect(asked).toEqual(["get-gi 18"]);
  expect(await drbdGenerations.read(fakeHost({ run }))).toMatchObject({ state: "absent" });
});

test("whatever happens to the text, it is parsed or refused", () => {
  fc.assert(
    fc.property(damagedCopies([`${PRIMARY}\n`]), (text) => {
      try {
        expect(parseGenerations(text, 0).currentUuid).toMatch(/^[0-9A-F]{16}$/);
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
