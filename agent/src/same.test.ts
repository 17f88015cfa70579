import { DrbdMinor, SourceReport } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { same } from "./same.js";

describe("two messages", () => {
  test("that were decoded from the same bytes say the same", () => {
    const bytes = SourceReport.encode(
      SourceReport.create({ reason: "x", damaged: [{ line: 3, reason: "torn", minor: 0, object: "" }] }),
    ).finish();
    expect(same(SourceReport.decode(bytes), SourceReport.decode(bytes))).toBe(true);
  });

  test("of which one has one counter more do not", () => {
    const minor = DrbdMinor.create({ minor: 1, networkSentKib: 4 });
    expect(same([minor], [{ ...minor, networkSentKib: 8 }])).toBe(false);
    expect(same([minor], [minor, minor])).toBe(false);
  });

  test("say the same where one leaves out what the other has undefined", () => {
    expect(same({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: 0 })).toBe(false);
    expect(same({ a: undefined }, { a: null })).toBe(false);
  });

  test("are compared as JSON would, whatever they hold", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(same(a, structuredClone(a))).toBe(true);
        expect(same(a, b)).toBe(same(b, a));
        if (same(a, b)) expect(a).toEqual(b);
      }),
    );
  });
});
