import { Severity } from "@vigie/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasRoom, mayGoNow, wants } from "./schedule.js";
import { HOUR_MS, MINUTE_MS, NOON, RULES } from "./testing.js";

test("a channel hears what is as severe as it asks for, or more so", () => {
  const heard = [Severity.NOTICE, Severity.WARNING, Severity.CRITICAL].filter((it) => wants(RULES, it));
  expect(heard).toEqual([Severity.WARNING, Severity.CRITICAL]);
});

test("in quiet hours only what is critical goes out; without them everything does", () => {
  const rules = { ...RULES, quiet: ["Tue 11:00-13:00"] };
  expect(mayGoNow(rules, Severity.WARNING, NOON)).toBe(false);
  expect(mayGoNow(rules, Severity.CRITICAL, NOON)).toBe(true);
  expect(mayGoNow(rules, Severity.WARNING, NOON + HOUR_MS)).toBe(true);
  expect(mayGoNow(RULES, Severity.WARNING, NOON)).toBe(true);
});

/** A channel that always has something to say, at these distances. */
function composedAt(maxPerHour: number, gapsMs: readonly number[]): number[] {
  const composed: number[] = [];
  let nowUnixMs = NOON;
  for (const gapMs of gapsMs) {
    nowUnixMs += gapMs;
    if (hasRoom({ ...RULES, maxPerHour }, composed, nowUnixMs)) composed.push(nowUnixMs);
  }
  return composed;
}

test("no hour has more messages than its limit, whenever it begins", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 10 * MINUTE_MS }), { maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 30 }), gaps, (maxPerHour, gapsMs) => {
      const composed = composedAt(maxPerHour, gapsMs);
      for (const from of composed) {
        const hour = composed.filter((it) => it >= from && it < from + HOUR_MS);
        expect(hour.length).toBeLessThanOrEqual(maxPerHour);
      }
    }),
  );
});

test("half of them may go at once, and after a storm the next one waits for minutes, not for the rest of the hour", () => {
  const composed = composedAt(12, Array<number>(120 * 60).fill(1_000));
  expect((composed[5] ?? 0) - NOON).toBe(6_000);
  const gaps = composed.slice(6).map((at, n) => at - (composed[n + 5] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(11 * MINUTE_MS);
});

test("a clock that was set back holds nothing back", () => {
  const ahead = Array.from({ length: 20 }, (_, n) => NOON + n * MINUTE_MS);
  expect(hasRoom(RULES, ahead, NOON - HOUR_MS)).toBe(true);
});
