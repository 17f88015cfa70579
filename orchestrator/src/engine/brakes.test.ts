/** What holds a step back at the moment of its send, and what does not. */
import {
  ActionOutcome,
  Plan,
  Run,
  RunEvent,
  RunEventKind,
  RunState,
  StepKind,
  type PlanStep,
} from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import { brakeOn, type BrakeParts } from "./brakes.js";
import { resultRow, row } from "./testing.js";

const { APPROVED, ABORT_ASKED, TAKEN_OVER, PAUSE_ASKED, RESUME_ASKED, STEP_SKIPPED, STEP_INTENT, ENDED } =
  RunEventKind;
const MINUTE_MS = 60_000;
const STEP: PlanStep = {
  ...Plan.fromPartial({ steps: [{ id: "s1", kind: StepKind.ACT }] }).steps[0],
} as PlanStep;
const PLAN = Plan.create({ steps: [STEP], locks: ["disk d1"] });
const APPROVAL = RunEvent.create({ kind: APPROVED, unixMs: 1_000 });

let parts: { -readonly [K in keyof BrakeParts]: BrakeParts[K] };
beforeEach(() => {
  parts = {
    epoch: () => 5,
    stopped: () => "",
    open: () => [],
    wallUnixMs: () => 2_000,
    isInWindow: () => true,
    approvedForMs: () => 0,
  };
});

function runWith(...events: RunEvent[]): Run {
  return Run.create({ id: "r-1", plan: PLAN, state: RunState.RUNNING, events: [APPROVAL, ...events] });
}

function braked(run: Run, { takesBack = false, begunRows = 1 } = {}) {
  return brakeOn(parts, run, STEP, { takesBack, begunRows });
}

test("nothing in the way: it may be sent", () => {
  expect(braked(runWith())).toBeUndefined();
});

test.each<[string, RunEvent]>([
  ["it has ended", row(ENDED)],
  ["a person has taken it over", row(TAKEN_OVER)],
  ["a person has skipped this very step", row(STEP_SKIPPED, { stepId: "s1" })],
])("once %s nothing is sent, not even what takes back", (_what, event) => {
  for (const takesBack of [false, true])
    expect(braked(runWith(event), { takesBack })).toEqual({ kind: "over", why: "a person has ended it" });
});

test("what the policy approved for a maintenance window does not begin after it; what a person approved, or was begun, does", () => {
  parts.isInWindow = () => false;
  const destructive = { ...PLAN, destructive: true };
  const by = (approvedBy: string, ...events: RunEvent[]) => ({
    ...runWith(...events),
    plan: destructive,
    approvedBy,
  });
  expect(braked(by("policy"))?.kind).toBe("expired");
  expect(braked(by("anna"))).toBeUndefined();
  expect(braked({ ...runWith(), approvedBy: "policy" })).toBeUndefined(); // a heal begins at any time
  const begun = [row(STEP_INTENT, { stepId: "s1", attempt: 1 }), resultRow("s1", 1, ActionOutcome.DONE)];
  expect(braked(by("policy", ...begun))).toBeUndefined();
});

test("what a person skipped before this step was begun is another round", () => {
  const run = runWith(row(STEP_SKIPPED, { stepId: "s1" }));
  expect(braked(run, { begunRows: 2 })).toBeUndefined();
});

test("without leadership nothing is sent, not even what takes back (I26)", () => {
  parts.epoch = () => 0;
  for (const takesBack of [false, true])
    expect(braked(runWith(), { takesBack })).toEqual({
      kind: "wait",
      why: "this orchestrator does not lead (I26)",
    });
});

test.each<[string, RunEvent[], () => void, { kind: string; why: string }]>([
  ["an abort", [row(ABORT_ASKED)], () => undefined, { kind: "over", why: "a person has asked for its end" }],
  [
    "a stop",
    [],
    () => (parts.stopped = () => "anna: wrong disk"),
    { kind: "wait", why: "everything is stopped: anna: wrong disk (I33)" },
  ],
  ["a pause", [row(PAUSE_ASKED)], () => undefined, { kind: "wait", why: "it is paused" }],
])("%s holds a step back, and not what only takes back", (_what, events, apply, brake) => {
  apply();
  expect(braked(runWith(...events))).toEqual(brake);
  expect(braked(runWith(...events), { takesBack: true })).toBeUndefined();
});

test("a pause that was resumed holds nothing back", () => {
  expect(braked(runWith(row(PAUSE_ASKED), row(RESUME_ASKED)))).toBeUndefined();
});

test("a pause does not hold back what an abort takes back afterwards", () => {
  const run = runWith(row(PAUSE_ASKED), row(ABORT_ASKED), row(RunEventKind.UNDO_STARTED));
  expect(braked(run, { begunRows: 4 })).toBeUndefined();
});

test("an abort of before this step was begun is what the undo is for, and holds it not back", () => {
  expect(braked(runWith(row(ABORT_ASKED)), { begunRows: 2 })).toBeUndefined();
});

function joining(state: RunState): Run {
  const plan = Plan.create({ locks: ["disk d1"], mayJoinWaiting: true });
  const events = [RunEvent.create({ kind: APPROVED, unixMs: 1_500 })];
  return Run.create({ id: "r-2", plan, state, events });
}

test.each([
  [RunState.RUNNING, "r-2 works on the same (I21)"],
  [RunState.FROZEN, "r-2 works on the same, and waits for a person: vigie run show r-2 (I21)"],
  [RunState.PAUSED, "r-2 works on the same, and waits for a person: vigie run show r-2 (I21)"],
])("while a heal that joined it is %s it waits, and says for whom (I21)", (state, why) => {
  parts.open = () => [runWith(), joining(state)];
  expect(braked(runWith())).toEqual({ kind: "wait", why });
  parts.open = () => [runWith(), joining(RunState.SUCCEEDED)];
  expect(braked(runWith())).toBeUndefined();
});

const MOVES: PlanStep = {
  ...Plan.fromPartial({ steps: [{ id: "rebalance", action: { kind: { $case: "rebalance", value: {} } } }] })
    .steps[0],
} as PlanStep;

function moving(id: string, approvedUnixMs: number, ...done: string[]): Run {
  const plan = Plan.create({ steps: [STEP, MOVES], locks: ["instance web1", "node h1"] });
  const events = [
    RunEvent.create({ kind: APPROVED, unixMs: approvedUnixMs }),
    ...done.map((stepId) => row(RunEventKind.STEP_VERIFIED, { stepId })),
  ];
  return Run.create({ id, plan, state: RunState.RUNNING, events });
}

test("hbal, which moves guests anywhere, waits for every run that holds an instance, and nothing else does (I9)", () => {
  const run = moving("r-1", 1_000, "s1");
  const held = (locks: string[], state = RunState.WAITING): Run[] => [
    run,
    Run.create({ id: "r-9", plan: Plan.create({ steps: [STEP], locks }), state, events: [APPROVAL] }),
  ];
  const asks = (step: PlanStep) => brakeOn(parts, run, step, { takesBack: false, begunRows: 2 });
  parts.open = () => held(["instance web7", "node h8"]);
  const why = "r-9 and hbal could work on the same instance (I9)";
  expect(asks(MOVES)).toEqual({ kind: "wait", why });
  expect(asks(STEP)).toBeUndefined();
  parts.open = () => held(["node h8"]);
  expect(asks(MOVES)).toBeUndefined();
  parts.open = () => held(["instance web7"], RunState.SUCCEEDED);
  expect(asks(MOVES)).toBeUndefined();
});

test("of two runs that have only hbal left, the one that was approved first goes on", () => {
  const [first, second] = [moving("r-1", 1_000, "s1"), moving("r-2", 1_500, "s1")];
  const asks = (run: Run) => brakeOn(parts, run, MOVES, { takesBack: false, begunRows: 2 });
  parts.open = () => [first, second];
  expect(asks(first)).toBeUndefined();
  expect(asks(second)?.kind).toBe("wait");
  parts.open = () => [first, moving("r-2", 1_500)]; // its copies are still to catch up
  expect(asks(first)?.kind).toBe("wait");
});

test("an approval of which nothing was begun is good for 15 minutes (I32)", () => {
  parts.wallUnixMs = () => 1_000 + 15 * MINUTE_MS;
  expect(braked(runWith())).toBeUndefined();
  parts.wallUnixMs = () => 1_001 + 15 * MINUTE_MS;
  expect(braked(runWith())?.kind).toBe("expired");
});

test("a request that never came to its agent is no beginning (I22)", () => {
  parts.wallUnixMs = () => 1_001 + 15 * MINUTE_MS;
  const intent = row(STEP_INTENT, { stepId: "s1", attempt: 1 });
  const lost = resultRow("s1", 1, ActionOutcome.REFUSED, "NOT_BEGUN");
  expect(braked(runWith(intent, lost))?.kind).toBe("expired");
  expect(braked(runWith(intent))).toBeUndefined();
});

test("the age counts from the approval, whatever came after it", () => {
  parts.wallUnixMs = () => 1_001 + 15 * MINUTE_MS;
  const later = RunEvent.create({ kind: RunEventKind.RECOVERED, unixMs: 14 * MINUTE_MS });
  expect(braked(runWith(later))?.kind).toBe("expired");
});
