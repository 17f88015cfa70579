import { Plan, PlanStep, RunEventKind } from "@vigie/proto";
import { expect, test } from "vitest";
import { runFinishUnixMs } from "./forecast.js";
import { row } from "./testing.js";

const step = (id: string, copiesKib: number, onlyAsUndo = false): PlanStep =>
  PlanStep.create({ id, copiesKib, onlyAsUndo });
const PLAN = Plan.create({
  steps: [
    step("one", 1_000),
    step("two", 2_000),
    step("tidy", 0),
    step("three", 4_000),
    step("undo", 9_000, true),
  ],
});
const AT_10 = { donePercent: 50, finishUnixMs: 100_000, kibPerS: 10 };

test("all copies are done when the one at work is, and the later ones at its rate", () => {
  expect(runFinishUnixMs(PLAN, [], "one", AT_10)).toBe(100_000 + 600_000);
});

test("what is done already is not counted, nor what only takes back", () => {
  const done = [
    row(RunEventKind.STEP_VERIFIED, { stepId: "one" }),
    row(RunEventKind.STEP_SKIPPED, { stepId: "two" }),
  ];
  expect(runFinishUnixMs(PLAN, done, "two", AT_10)).toBe(100_000 + 400_000);
});

test("nothing is told where no rate was measured, or the last copy is at work", () => {
  expect(runFinishUnixMs(PLAN, [], "one", { ...AT_10, kibPerS: 0 })).toBe(0);
  expect(runFinishUnixMs(PLAN, [], "one", { ...AT_10, finishUnixMs: 0 })).toBe(0);
  const done = ["one", "two"].map((stepId) => row(RunEventKind.STEP_VERIFIED, { stepId }));
  expect(runFinishUnixMs(PLAN, done, "three", AT_10)).toBe(0);
});
