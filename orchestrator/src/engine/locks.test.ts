import { ActionOutcome, Plan, PlanStep, Run, RunEvent, RunEventKind, RunState } from "@vigie/proto";
import { expect, test } from "vitest";
import { joinedBy, lockInTheWay, locksOf, needsWatcherPaused, type OpenRun } from "./locks.js";
import { resultRow, row } from "./testing.js";

const HOUR_MS = 3_600_000;
const plan = (...locks: string[]): Plan => Plan.create({ locks });

function open(state: RunState, locks: string[], idleMs = 0): OpenRun {
  const events = [RunEvent.create({ kind: RunEventKind.APPROVED, unixMs: 7 })];
  const run = Run.create({ id: "r-1", state, plan: plan(...locks), events, approvedBy: "anna" });
  return { run, idleMs };
}

test.each([RunState.RUNNING, RunState.WAITING, RunState.UNDOING, RunState.FROZEN, RunState.PAUSED])(
  "a run that is %s holds what its plan names, under the name of who approved it",
  (state) => {
    expect(locksOf([open(state, ["node h1"])], 1)).toMatchObject([
      { name: "node h1", runId: "r-1", person: "anna", sinceUnixMs: 7 },
    ]);
  },
);

test("a run that nobody approved yet holds nothing", () => {
  expect(locksOf([open(RunState.AWAITING_APPROVAL, ["node h1"])], 1)).toEqual([]);
});

test("two plans that share a disk, an instance, a node or a pair are in each other's way, and others are not", () => {
  const held = locksOf([open(RunState.RUNNING, ["pair h1 h2", "node h1"])], 1);
  expect(lockInTheWay(plan("node h3", "pair h1 h2"), "r-2", held, 1)?.name).toBe("pair h1 h2");
  expect(lockInTheWay(plan("node h3", "pair h1 h3"), "r-2", held, 1)).toBeUndefined();
});

test("a run is never in its own way", () => {
  const held = locksOf([open(RunState.RUNNING, ["node h1"])], 1);
  expect(lockInTheWay(plan("node h1"), "r-1", held, 1)).toBeUndefined();
});

test("a lock lapses an hour after the last sign of life of its engine, but never where a person must speak", () => {
  const way = (state: RunState, idleMs: number, nowUnixMs: number) =>
    lockInTheWay(plan("node h1"), "r-2", locksOf([open(state, ["node h1"], idleMs)], nowUnixMs), nowUnixMs);
  for (const nowUnixMs of [1, 1_000 * HOUR_MS]) {
    expect(way(RunState.RUNNING, HOUR_MS - 1, nowUnixMs)).toBeDefined(); // wherever the wall clock was set to
    expect(way(RunState.RUNNING, HOUR_MS, nowUnixMs)).toBeUndefined();
    expect(way(RunState.FROZEN, 1_000 * HOUR_MS, nowUnixMs)).toBeDefined();
  }
});

test("a run that heals a link may join one that only waits for it, and that one lets it pass first (I21)", () => {
  const waiting = open(RunState.WAITING, ["disk d1"]);
  const heal = { ...plan("disk d1"), mayJoinWaiting: true };
  expect(lockInTheWay(heal, "r-2", locksOf([waiting], 1), 1)).toBeUndefined();
  expect(lockInTheWay(plan("disk d1"), "r-2", locksOf([waiting], 1), 1)).toBeDefined();
  expect(lockInTheWay(heal, "r-2", locksOf([open(RunState.RUNNING, ["disk d1"])], 1), 1)).toBeDefined();
});

test("heals of links between the same nodes hold these together, and nothing else does (I9)", () => {
  const heal = (...locks: string[]) => ({ ...plan(...locks), mayJoinWaiting: true });
  const names = ["disk d1", "node h1", "pair h1 h2"];
  const at = open(RunState.RUNNING, names);
  const healing = locksOf([{ ...at, run: { ...at.run, plan: heal(...names) } }], 1);
  expect(lockInTheWay(heal("disk d2", "node h1", "pair h1 h2"), "r-2", healing, 1)).toBeUndefined();
  expect(lockInTheWay(heal("disk d1", "node h1"), "r-2", healing, 1)?.name).toBe("disk d1");
  expect(lockInTheWay(plan("disk d2", "node h1"), "r-2", healing, 1)?.name).toBe("node h1");
  expect(lockInTheWay(heal("disk d2", "node h1"), "r-2", locksOf([at], 1), 1)?.name).toBe("node h1");
});

test("a heal waits for none that was begun beside it between the same nodes (I21)", () => {
  const heal = (id: string, unixMs: number, disk: string) =>
    Run.create({
      id,
      state: RunState.RUNNING,
      plan: { ...plan(disk, "node h1", "pair h1 h2"), mayJoinWaiting: true },
      events: [RunEvent.create({ kind: RunEventKind.APPROVED, unixMs })],
    });
  expect(joinedBy(heal("r-1", 1, "disk d1"), [heal("r-2", 2, "disk d2")])).toBeUndefined();
  expect(joinedBy(heal("r-1", 1, "disk d1"), [heal("r-2", 2, "disk d1")])?.id).toBe("r-2");
});

test("a run lets the heal that joined it pass until that has ended: running, frozen or paused (I21)", () => {
  const approved = (unixMs: number) => [RunEvent.create({ kind: RunEventKind.APPROVED, unixMs })];
  const heal = { ...plan("disk d1"), mayJoinWaiting: true };
  const first = Run.create({
    id: "r-1",
    state: RunState.RUNNING,
    plan: plan("disk d1"),
    events: approved(1),
  });
  const joining = Run.create({ id: "r-2", state: RunState.RUNNING, plan: heal, events: approved(2) });
  for (const state of [
    RunState.RUNNING,
    RunState.WAITING,
    RunState.FROZEN,
    RunState.PAUSED,
    RunState.UNDOING,
  ])
    expect(joinedBy(first, [first, { ...joining, state }])?.id).toBe("r-2");
  expect(joinedBy(first, [first, { ...joining, state: RunState.SUCCEEDED }])).toBeUndefined();
  expect(joinedBy(joining, [first, joining])).toBeUndefined();
  const clockSetBack = { ...joining, events: approved(0) };
  expect(joinedBy(first, [first, clockSetBack])?.id).toBe("r-2");
});

test("of two heals of one disk the one that was approved first goes on: they do not wait for each other", () => {
  const heal = { ...plan("disk d1"), mayJoinWaiting: true };
  const of = (id: string): Run =>
    Run.create({
      id,
      state: RunState.RUNNING,
      plan: heal,
      events: [RunEvent.create({ kind: RunEventKind.APPROVED, unixMs: 1 })],
    });
  const both = [of("r-1"), of("r-2")];
  expect(both.map((run) => joinedBy(run, both)?.id)).toEqual(["r-2", undefined]);
});

test("the watcher is left to another run only where that one paused it and lets it go on itself (I31)", () => {
  const pauses = (id: string, resumes: boolean, ...more: RunEvent[]): Run => {
    const step = (kind: "pauseWatcher" | "continueWatcher") =>
      PlanStep.fromPartial({ id: kind, action: { kind: { $case: kind, value: {} } } });
    const steps = [step("pauseWatcher"), ...(resumes ? [step("continueWatcher")] : [])];
    const sent = row(RunEventKind.STEP_INTENT, { stepId: "pauseWatcher", attempt: 1 });
    const events = [sent, resultRow("pauseWatcher", 1, ActionOutcome.DONE), ...more];
    return Run.create({ id, state: RunState.RUNNING, plan: Plan.create({ steps }), events });
  };
  const own = pauses("r-1", true);
  expect(needsWatcherPaused(own, [own, pauses("r-2", true)])?.id).toBe("r-2");
  expect(needsWatcherPaused(own, [own, pauses("r-2", false)])).toBeUndefined();
  const over = row(RunEventKind.STEP_VERIFIED, { stepId: "continueWatcher" });
  expect(needsWatcherPaused(own, [own, pauses("r-2", true, over)])).toBeUndefined();
});
