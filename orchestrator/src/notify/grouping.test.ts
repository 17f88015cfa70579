import { MessageReason, NoticeCause, Severity } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Notice, Told } from "../store/outbox.js";
import { nextDraft, type Draft, type Queue } from "./grouping.js";
import type { Waiting } from "./notice.js";
import type { Rules } from "./schedule.js";
import { HOUR_MS, MINUTE_MS, NOON, notice, RULES } from "./testing.js";

const { OPENED, CLOSED, NEEDS_PERSON, WORSE } = NoticeCause;

/** A channel whose receiver takes everything at once: what it says, second by second. */
function said(
  notices: readonly Notice[],
  forS: number,
  rules: Rules = RULES,
  waits: (unixMs: number) => readonly Waiting[] = () => [],
): { readonly atS: number; readonly draft: Draft }[] {
  const drafts: { atS: number; draft: Draft }[] = [];
  const told = new Map<string, Told>();
  const taken = new Set<string>();
  const composed: number[] = [];
  for (let s = 0; s <= forS; s += 1) {
    const nowUnixMs = NOON + s * 1000;
    const come = notices.filter((it) => it.unixMs <= nowUnixMs && !taken.has(it.id));
    const queue: Queue = { notices: come, told, composed };
    const draft = nextDraft(queue, rules, waits(nowUnixMs), nowUnixMs);
    if (draft === undefined) continue;
    drafts.push({ atS: s, draft });
    composed.push(nowUnixMs);
    for (const id of draft.taken) taken.add(id);
    for (const { about } of draft.parts)
      told.set(about, { channel: "ops", about, unixMs: nowUnixMs, thread: "m-1" });
  }
  return drafts;
}

const at = (s: number): number => NOON + s * 1000;

test("what happens within the grouping time is one message", () => {
  const stalls = Array.from({ length: 60 }, (_, n) => notice(`i-${n}`, OPENED, at(n / 10)));
  const [first, ...others] = said(stalls, 600);
  expect(others).toEqual([]);
  expect([first?.atS, first?.draft.parts.length]).toEqual([30, 60]);
});

test("an incident that opens and is over within it is one part of one message", () => {
  const told = said([notice("i-1", OPENED, at(0)), notice("i-1", CLOSED, at(25))], 600);
  expect(told.map(({ draft }) => draft.parts)).toEqual([
    [expect.objectContaining({ about: "i-1", causes: [OPENED, CLOSED] })],
  ]);
});

test("sixty stalls that are healed one after the other are told twice: that they began, and that all are over", () => {
  const began = Array.from({ length: 60 }, (_, n) => notice(`i-${n}`, OPENED, at(n / 20)));
  const over = Array.from({ length: 60 }, (_, n) => notice(`i-${n}`, CLOSED, at(40 + n)));
  expect(said([...began, ...over], 900).map(({ draft }) => draft.parts.length)).toEqual([60, 60]);
});

test("good news that never end are told after five minutes all the same", () => {
  const over = Array.from({ length: 60 }, (_, n) => notice(`i-${n}`, CLOSED, at(20 * n)));
  expect(said(over, 1500)[0]?.atS).toBe(300);
});

test("a second thing that happens later to the same incident is told again, with what it was about", () => {
  const told = said([notice("i-1", OPENED, at(0)), notice("i-1", WORSE, at(100))], 600);
  expect(told.map(({ atS }) => atS)).toEqual([30, 130]);
});

describe("quiet hours", () => {
  const rules = { ...RULES, quiet: ["11:00-12:10"] };
  const minor = notice("i-minor", OPENED, at(0), { severity: Severity.WARNING });

  test("hold back what is not critical until they end", () => {
    const told = said([minor], 1200, rules);
    expect(told.map(({ atS }) => atS)).toEqual([600]);
    expect(told[0]?.draft.heldMs).toBe(600_000);
  });

  test("let what is critical out, without the rest", () => {
    const told = said([minor, notice("i-bad", OPENED, at(1))], 1200, rules);
    expect(told.map(({ draft }) => draft.parts.map(({ about }) => about))).toEqual([["i-bad"], ["i-minor"]]);
  });

  test("let out what has become critical meanwhile", () => {
    const told = said([minor, notice("i-minor", WORSE, at(60))], 1200, rules);
    expect(told.map(({ atS }) => atS)).toEqual([60]);
  });
});

describe("what waits for a person", () => {
  const waiting = (about: string, asked = true): Waiting => ({ about, severity: Severity.CRITICAL, asked });

  test("is said again until somebody answers, and not after that", () => {
    const answered = at(100 * 60);
    const waits = (nowUnixMs: number) =>
      nowUnixMs < answered && nowUnixMs >= at(30) ? [waiting("i-1")] : [];
    const told = said([notice("i-1", NEEDS_PERSON, at(0))], 4 * 3600, RULES, waits);
    expect(told.map(({ atS, draft }) => [Math.floor(atS / 60), draft.reason])).toEqual([
      [0, MessageReason.NEWS],
      [30, MessageReason.REMINDER],
      [60, MessageReason.REMINDER],
      [90, MessageReason.REMINDER],
    ]);
  });

  test("is one reminder, however many they are and whenever each began", () => {
    const began = [0, 300, 600].map((s, n) => notice(`i-${n}`, NEEDS_PERSON, at(s)));
    const waits = () => [waiting("i-0"), waiting("i-1"), waiting("i-2")];
    const reminders = said(began, 2 * 3600, RULES, waits).filter(
      ({ draft }) => draft.reason === MessageReason.REMINDER && draft.parts.length === 3,
    );
    expect(reminders.length).toBeGreaterThanOrEqual(2);
  });

  test("is told by a channel that has never told of it, such as a new one", () => {
    expect(said([], 10, RULES, () => [waiting("i-1")])).toHaveLength(1);
  });

  test("and nobody was asked about is said again once a day", () => {
    const told = said([], 50 * 3600, RULES, () => [waiting("i-1", false)]);
    expect(told.map(({ atS }) => atS / 3600)).toEqual([0, 24, 48]);
  });

  test("is not said again in quiet hours, where it is not critical", () => {
    const rules = { ...RULES, quiet: ["11:00-14:00"] };
    const waits = () => [{ ...waiting("i-1"), severity: Severity.WARNING }];
    expect(said([], 3 * 3600, rules, waits)[0]?.atS).toBe(7200);
  });
});

const CAUSES = [OPENED, WORSE, NEEDS_PERSON, CLOSED];
const anyNotices = fc
  .array(
    fc.record({
      about: fc.integer({ min: 1, max: 8 }),
      cause: fc.constantFrom(...CAUSES),
      afterS: fc.integer({ min: 0, max: 3 * 3600 }),
      critical: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((all) =>
    all
      .toSorted((a, b) => a.afterS - b.afterS)
      .map(({ about, cause, afterS, critical }) =>
        notice(`i-${about}`, cause, at(afterS), {
          severity: critical ? Severity.CRITICAL : Severity.WARNING,
        }),
      ),
  );

test("whatever happens, all of it is told once, in the order in which it happened, and never too often", () => {
  const rules = { ...RULES, maxPerHour: 6, quiet: ["13:00-14:00"] };
  fc.assert(
    fc.property(anyNotices, (notices) => {
      const told = said(notices, 5 * 3600, rules);
      const taken = told.flatMap(({ draft }) => draft.taken);
      expect(taken.toSorted()).toEqual(notices.map(({ id }) => id).toSorted());
      for (const about of new Set(notices.map((it) => it.about))) {
        const causes = told.flatMap(({ draft }) =>
          draft.parts.filter((it) => it.about === about).flatMap((it) => it.causes),
        );
        expect(causes).toEqual(notices.filter((it) => it.about === about).map(({ cause }) => cause));
      }
      for (const { atS } of told) {
        const hour = told.filter((it) => it.atS >= atS && it.atS < atS + HOUR_MS / 1000);
        expect(hour.length).toBeLessThanOrEqual(6);
      }
    }),
    { numRuns: 40 },
  );
});

test("more than a message holds is told in several", () => {
  const many = Array.from({ length: 450 }, (_, n) => notice(`i-${n}`, OPENED, at(0)));
  const told = said(many, (10 * MINUTE_MS) / 1000);
  expect(told.map(({ draft }) => draft.parts.length)).toEqual([200, 200, 50]);
});
