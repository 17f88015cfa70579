import { ActionOutcome, Plan, Run, RunEventKind, RunState, StepKind, type RunEvent } from "@vigie/proto";
import { expect, test } from "vitest";
import { anotherLed, recoveryRow } from "./recovery.js";
import { BEGUN, PLAN, resultRow, row } from "./testing.js";

const PLANNED_MS = 1_000_000;
const LATER_MS = PLANNED_MS + 16 * 60_000;
const INTENT = row(RunEventKind.STEP_INTENT, { stepId: "cut-link", attempt: 1, unixMs: PLANNED_MS });
const APPROVED = BEGUN.map((event) => ({ ...event, unixMs: PLANNED_MS }));

function taken(events: readonly RunEvent[], wallUnixMs: number, state = RunState.RUNNING, leftUnixMs = 0) {
  const plan = { ...PLAN, plannedUnixMs: PLANNED_MS };
  return recoveryRow(Run.create({ id: "r-1", plan, state, events: [...events] }), leftUnixMs, wallUnixMs);
}

test("a run that had begun goes on after a short while", () => {
  expect(taken([...APPROVED, INTENT], PLANNED_MS + 60_000)).toMatchObject({ kind: RunEventKind.RECOVERED });
});

test("one that was left in its middle for long is paused: people have acted meanwhile (I32)", () => {
  expect(taken([...APPROVED, INTENT], LATER_MS)).toMatchObject({
    kind: RunEventKind.PAUSE_ASKED,
    text: expect.stringContaining("nothing of this run was done for 16 min"),
  });
});

test("one that waits for a resync goes on when the orchestrator was away for a moment, and is paused after long", () => {
  const rows = [...APPROVED, INTENT];
  expect(taken(rows, LATER_MS, RunState.WAITING, LATER_MS - 60_000)).toMatchObject({
    kind: RunEventKind.RECOVERED,
  });
  expect(taken(rows, LATER_MS, RunState.WAITING, PLANNED_MS)).toMatchObject({
    kind: RunEventKind.PAUSE_ASKED,
  });
});

test("one whose engine gave a sign of life a moment ago goes on, though its last row is old", () => {
  expect(taken([...APPROVED, INTENT], LATER_MS, RunState.RUNNING, LATER_MS - 60_000)).toMatchObject({
    kind: RunEventKind.RECOVERED,
  });
});

test("one whose only request never came to its agent is still only approved, and is ended (I22, I32)", () => {
  const never = resultRow("cut-link", 1, ActionOutcome.REFUSED, "NOT_BEGUN");
  expect(taken([...APPROVED, INTENT, never], LATER_MS)).toMatchObject({ kind: RunEventKind.ABORT_ASKED });
});

test("one that was approved a moment ago begins", () => {
  expect(taken(APPROVED, PLANNED_MS + 60_000)).toMatchObject({ kind: RunEventKind.RECOVERED });
});

test("one that was approved and never begun is ended once its approval is too old (I32)", () => {
  expect(taken(BEGUN, LATER_MS)).toMatchObject({
    kind: RunEventKind.ABORT_ASKED,
    text: expect.stringContaining("vigie do reset-stalled-sync"),
  });
});

test("one that waits for its approval goes on waiting, and the executor ends it in time", () => {
  const waiting = [row(RunEventKind.PLANNED)];
  expect(taken(waiting, LATER_MS, RunState.AWAITING_APPROVAL)).toMatchObject({
    kind: RunEventKind.RECOVERED,
  });
});

test("one that is frozen waits for its person, and nothing is written", () => {
  expect(taken([...BEGUN, INTENT, row(RunEventKind.FROZEN)], LATER_MS, RunState.FROZEN)).toBeUndefined();
});

test("one that was taking back more than a cut is frozen after long, whatever it would do next; a cut is taken back", () => {
  const plan = Plan.create({
    ...PLAN,
    plannedUnixMs: PLANNED_MS,
    steps: [
      { kind: StepKind.ACT, node: "h1", id: "set-offline", undoStepId: "set-online" },
      { kind: StepKind.ACT, node: "h1", id: "set-online", onlyAsUndo: true },
    ],
  });
  const sent = row(RunEventKind.STEP_INTENT, { stepId: "set-offline", attempt: 1, unixMs: PLANNED_MS });
  const asked = row(RunEventKind.ABORT_ASKED, { unixMs: PLANNED_MS });
  const of = (events: RunEvent[]) =>
    recoveryRow(Run.create({ id: "r-1", plan, state: RunState.UNDOING, events }), 0, LATER_MS);
  expect(of([...APPROVED, sent, asked])).toMatchObject({ kind: RunEventKind.FROZEN, stepId: "set-online" });
  const begun = [sent, asked, row(RunEventKind.UNDO_STARTED, { unixMs: PLANNED_MS })];
  expect(of([...APPROVED, ...begun])).toMatchObject({ kind: RunEventKind.FROZEN, stepId: "set-online" });
  expect(taken([...APPROVED, INTENT, asked], LATER_MS, RunState.UNDOING)).toMatchObject({
    kind: RunEventKind.RECOVERED,
  });
});

test("a destructive run is paused when another orchestrator led meanwhile, for however short a time; a heal goes on", () => {
  const run = (destructive: boolean, state = RunState.RUNNING): Run =>
    Run.create({ id: "r-1", plan: { ...PLAN, destructive }, state, events: [...BEGUN] });
  expect(anotherLed(run(true), false)).toMatchObject({ kind: RunEventKind.PAUSE_ASKED });
  expect(anotherLed(run(true), true)).toBeUndefined();
  expect(anotherLed(run(false), false)).toBeUndefined();
  expect(anotherLed(run(true, RunState.FROZEN), false)).toBeUndefined();
});

test("a wall clock that was set back says nothing of how long a run was left: it is paused", () => {
  expect(taken([...APPROVED, INTENT], PLANNED_MS - 3_600_000)).toMatchObject({
    kind: RunEventKind.PAUSE_ASKED,
    text: expect.stringContaining("the clock was set back"),
  });
  expect(taken([...APPROVED, INTENT], PLANNED_MS - 1_000)).toMatchObject({ kind: RunEventKind.RECOVERED });
});
