import { Incident, IncidentKind, IncidentState, Run, RunEvent, RunEventKind, RunState } from "@vigie/proto";
import { expect, test } from "vitest";
import { afterEnd, afterRow, seenWithinMs } from "./after-run.js";

const NOW = { monotonicMs: 5_000, unixMs: 1_800_000_000_000 };
const HEALING = Incident.create({ id: "i-1", state: IncidentState.HEALING, runId: "r-1" });
const row = (kind: RunEventKind, text = ""): RunEvent => RunEvent.create({ kind, text });
const run = (state: RunState, ...events: RunEvent[]): Run => Run.create({ id: "r-1", state, events });

test("what a run's rows mean is written into its incident, but for what a job writes", () => {
  const approved = row(RunEventKind.APPROVED, "plan 12");
  const open = { ...HEALING, state: IncidentState.OPEN };
  const next = afterRow(open, run(RunState.RUNNING, approved), approved, NOW);
  expect(next).toMatchObject({ state: IncidentState.HEALING, events: [{ text: "r-1 approved: plan 12" }] });
  expect(afterRow(open, run(RunState.RUNNING), row(RunEventKind.STEP_LOG, "39 %"), NOW)).toBe(open);
});

test("after a success observation has the word: it is HEALING until it is seen, or answered anew", () => {
  const end = row(RunEventKind.ENDED, "every step was seen");
  const succeeded = run(RunState.SUCCEEDED, end);
  expect(afterRow(HEALING, succeeded, end, NOW)).toMatchObject({
    state: IncidentState.HEALING,
    runId: "r-1",
  });
  expect(afterEnd(HEALING, succeeded, NOW)).toMatchObject({
    state: IncidentState.OPEN,
    runId: "",
    decision: ["r-1 has ended, and it is not over"],
  });
});

test("a run that failed, or of which nothing is known, is a person's", () => {
  const end = row(RunEventKind.ENDED, "it does not move");
  const sent = row(RunEventKind.STEP_INTENT);
  const failed = run(RunState.FAILED, sent, end);
  expect(afterEnd(HEALING, failed, NOW)).toMatchObject({ decision: ["it does not move"] });
  expect(afterEnd(HEALING, undefined, NOW)).toMatchObject({
    state: IncidentState.NEEDS_PERSON,
    decision: ["what became of r-1 is not known"],
  });
});

test("a stall is looked at soon, all else once the slowest source was read again", () => {
  expect(seenWithinMs({ ...HEALING, kind: IncidentKind.STALLED_SYNC })).toBe(15_000);
  expect(seenWithinMs({ ...HEALING, kind: IncidentKind.MISSING_VOLUME })).toBe(150_000);
});

test("a run that ends with nothing done under a maintenance leaves no incident that heals without it", () => {
  const end = row(RunEventKind.ENDED, "h2 does not answer");
  const expected = { ...HEALING, maintenance: { node: "h2", untilUnixMs: 1 } };
  expect(afterRow(expected, run(RunState.FAILED, end), end, NOW)).toMatchObject({
    state: IncidentState.OPEN,
    runId: "",
  });
});

test("a snooze that was said while it was being healed ends when that did not help", () => {
  const snooze = { person: "anna", reason: "", unixMs: 1, untilUnixMs: 2 };
  const plan = { steps: [{ id: "cut-link" }] };
  const end = row(RunEventKind.ENDED, "it came back");
  const failed = Run.fromPartial({
    id: "r-1",
    state: RunState.FAILED,
    plan,
    events: [{ kind: RunEventKind.STEP_INTENT, stepId: "cut-link", attempt: 1 }, end],
  });
  const next = afterRow({ ...HEALING, snooze }, failed, end, NOW);
  expect(next).toMatchObject({ state: IncidentState.NEEDS_PERSON, snooze: undefined });
});
