/** A look before a step: what is not answered at once is asked again, and is never taken for a no. */
import { Condition, type Clock } from "@vigie/proto";
import { expect, test } from "vitest";
import type { WatchContext } from "./conditions/condition.js";
import type { Outcome } from "./look.js";
import { glance } from "./due.js";

const THERE = Condition.create({ what: { $case: "volumeThere", value: { node: "h1", volume: "kvmvg/a" } } });
const UNANSWERED: Outcome = { end: "time-over", answered: false, lastAnswered: false, what: "" };

/** Each look takes two seconds, and ends as `outcomes` say; the last one for ever. */
async function glanced(...outcomes: Outcome[]) {
  let nowMs = 0;
  let looks = 0;
  const clock: Clock = { monotonicMs: () => nowMs, wallUnixMs: () => 0, sleep: async () => undefined };
  const looker = {
    until: async (): Promise<Outcome> => {
      nowMs += 2_000;
      looks += 1;
      return outcomes[looks - 1] ?? outcomes.at(-1) ?? UNANSWERED;
    },
  };
  const context = (sinceMs: number): WatchContext => ({
    runId: "r-1",
    stepId: "snapshot-0",
    sinceMs,
    heardSinceMs: 0,
    events: () => [],
    clock,
  });
  const { answer } = await glance({ clock, looker }, { context, givenUp: () => false }, THERE, 2_000);
  return { answer, looks };
}

test("an agent that answers the second time is believed", async () => {
  expect(await glanced(UNANSWERED, { end: "seen", what: "it is there", askedAtMs: 0 })).toEqual({
    answer: "yes",
    looks: 2,
  });
});

test("an answer that it is not so is no, and is not asked again", async () => {
  expect(await glanced({ end: "time-over", answered: true, lastAnswered: true, what: "" })).toEqual({
    answer: "no",
    looks: 1,
  });
});

test("who does not answer for half a minute leaves it unknown", async () => {
  expect(await glanced(UNANSWERED)).toEqual({ answer: "unknown", looks: 15 });
});
