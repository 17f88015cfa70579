import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FUZZ_RUNS } from "../sources/testing.js";
import { whyNoSnapshotOf } from "./sound-snapshot.js";

const DATA = "kvmvg/1-2.disk0_data";
const SOUND = { vgName: "kvmvg", lvName: "vigie-r-7", attr: "swi-a-s---", origin: "1-2.disk0_data" };
const why = (change: Partial<typeof SOUND> = {}): string => whyNoSnapshotOf(DATA, { ...SOUND, ...change });

describe("a snapshot keeps what its volume loses", () => {
  test("where it is active, whole, and of that volume", () => {
    expect(why()).toBe("");
    expect(why({ attr: "swi-aos---" })).toBe("");
    expect(why({ attr: "swi-ao" })).toBe(""); // LVM 2.02.50 prints six
  });

  test.each([
    ["it is a plain volume", { attr: "-wi-a-----", origin: "" }, "is no snapshot"],
    ["it is thin", { attr: "Vwi-a-tz--" }, "is no snapshot"],
    ["it is of another volume", { origin: "1-3.disk0_data" }, "is a snapshot of 1-3.disk0_data"],
    ["it is of another group", { vgName: "spare" }, "is a snapshot of 1-2.disk0_data"],
    ["LVM names no origin", { origin: "" }, "is a snapshot of no volume that LVM names"],
    ["it is being merged back", { attr: "Swi-a-s---" }, "is being merged back"],
    ["its store overflowed", { attr: "swi-I-s---" }, "is invalid: its store is full"],
    ["it overflowed and is suspended", { attr: "swi-S-s---" }, "is not active (lv_attr swi-S-s---)"],
    ["its merge failed", { attr: "swi-m-s---" }, "is not active (lv_attr swi-m-s---)"],
    ["it is not active", { attr: "swi---s---" }, "is not active (lv_attr swi---s---)"],
    ["its state is not known", { attr: "swi-X-s---" }, "is not active (lv_attr swi-X-s---)"],
    ["a part of it is missing", { attr: "swi-a-s-p-" }, "is not whole (lv_attr swi-a-s-p-)"],
    ["its attributes are cut", { attr: "swi-" }, "is not active (lv_attr swi-)"],
    ["it has none", { attr: "" }, "is no snapshot"],
  ] as const)("not where %s", (_what, change, reason) => {
    expect(why(change)).toBe(reason);
  });

  test("whatever lv_attr is, only these three characters in their places say so", () => {
    const letters = fc.constantFrom(..."-abcdDeIiLlmMopPrRsStTuvVwXz".split(""));
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 10 }), (characters) => {
        const attr = characters.join("");
        const [type, , , , state, , , , health = "-"] = characters;
        expect(why({ attr }) === "").toBe(type === "s" && state === "a" && health === "-");
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
