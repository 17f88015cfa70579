import { ActionOutcome, RunEventKind, RunState, type RunEvent } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { nextMove, runState } from "./next-move.js";
import { ALL_WELL, BEGUN, drive, intent, PLAN, resultRow, row, type Answer } from "./testing.js";

const { STEP_INTENT, STEP_FAILED, STEP_VERIFIED, ABORT_ASKED, UNDO_STARTED, ENDED, APPROVED } = RunEventKind;
const { DONE, REFUSED, UNKNOWN, FAILED } = ActionOutcome;

const sent = (stepId: string, attempt = 1): RunEvent => row(STEP_INTENT, { stepId, attempt });
const verified = (stepId: string, attempt = 1): RunEvent => row(STEP_VERIFIED, { stepId, attempt });
const failed = (stepId: string, text: string, attempt = 1): RunEvent =>
  row(STEP_FAILED, { stepId, attempt, text });
const CUT_STANDS = [...BEGUN, sent("cut-link"), resultRow("cut-link", 1, DONE), verified("cut-link")];

const steps = (log: readonly RunEvent[], kind: RunEventKind): string[] =>
  log.filter((e) => e.kind === kind).map(({ stepId, attempt }) => `${stepId} ${attempt}`);

test("a run waits until it is approved", () => {
  expect(nextMove(PLAN, [row(RunEventKind.PLANNED)])).toEqual({ move: "await-approval" });
});

test("a run that was aborted before anybody approved it ends without a step", () => {
  const log = drive([row(RunEventKind.PLANNED), row(ABORT_ASKED, { text: "wrong disk" })], ALL_WELL);
  expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.ABORTED, text: "wrong disk" });
  expect(steps(log, STEP_INTENT)).toEqual([]);
});

test("a run whose every step is seen in the world succeeds, each step sent once", () => {
  const log = drive(BEGUN, ALL_WELL);
  expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.SUCCEEDED });
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1"]);
  expect(steps(log, STEP_VERIFIED)).toEqual(PLAN.steps.map(({ id }) => `${id} 1`));
});

test("a step that was begun and has no result is asked again under the same key (I22, I23)", () => {
  expect(nextMove(PLAN, [...BEGUN, sent("cut-link")])).toMatchObject({
    move: "send",
    attempt: 1,
    begun: true,
  });
});

test.each([UNKNOWN, FAILED, DONE])(
  "what the agent said of a step (%s) is not believed: the world is looked at",
  (it) => {
    const move = nextMove(PLAN, [...BEGUN, sent("cut-link"), resultRow("cut-link", 1, it)]);
    expect(move).toMatchObject({ move: "await", step: { id: "cut-link" }, attempt: 1 });
  },
);

test("a refused step fails the run, and takes nothing back where nothing ran", () => {
  const rows = [...BEGUN, sent("cut-link"), resultRow("cut-link", 1, REFUSED, "GUARD_REFUSED")];
  const log = drive(rows, ALL_WELL);
  expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.FAILED });
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1"]);
  expect(log.some(({ kind }) => kind === UNDO_STARTED)).toBe(false);
});

test("a step that came too late is sent three times, with a new key each, and then fails", () => {
  const late: Answer = (move, rows) =>
    move.move === "send"
      ? [...intent(move), resultRow(move.step.id, move.attempt, REFUSED, "TOO_LATE")]
      : ALL_WELL(move, rows);
  const log = drive(BEGUN, late);
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "cut-link 2", "cut-link 3"]);
  expect(log.at(-1)).toMatchObject({ state: RunState.FAILED });
});

describe("a run that fails after the cut", () => {
  const log = drive([...CUT_STANDS, failed("await-link-down", "not seen")], ALL_WELL);

  test("takes the cut back and ends as failed, with the reason", () => {
    expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1"]);
    expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.FAILED, text: "not seen" });
  });

  test("does nothing more of what it set out to do", () => {
    expect(steps(log, STEP_VERIFIED)).not.toContain("await-resync-moves 1");
  });
});

test("a cut that may have run is taken back too", () => {
  const rows = [
    ...BEGUN,
    sent("cut-link"),
    resultRow("cut-link", 1, UNKNOWN),
    failed("cut-link", "not seen"),
  ];
  expect(steps(drive(rows, ALL_WELL), STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1"]);
});

test("a cut of an attempt before the last one is taken back too", () => {
  const rows = [
    ...BEGUN,
    sent("cut-link"),
    resultRow("cut-link", 1, UNKNOWN),
    sent("cut-link", 2),
    resultRow("cut-link", 2, REFUSED, "GUARD_REFUSED"),
  ];
  expect(steps(drive(rows, ALL_WELL), STEP_INTENT)).toContain("restore-link 1");
});

test("a restore that could not be confirmed freezes the run for a person (I28, I29)", () => {
  const never: Answer = (move, rows) =>
    move.move === "await" && move.step.id === "restore-link"
      ? [failed("restore-link", "not seen", move.attempt)]
      : ALL_WELL(move, rows);
  const log = drive([...CUT_STANDS, verified("await-link-down")], never);
  expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.FROZEN });
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1", "restore-link 2"]);
});

test("a restore that always comes too late is given up, and the run freezes", () => {
  const late: Answer = (move, rows) =>
    move.move === "send"
      ? [...intent(move), resultRow(move.step.id, move.attempt, REFUSED, "TOO_LATE")]
      : ALL_WELL(move, rows);
  const log = drive([...CUT_STANDS, failed("await-link-down", "not seen")], late);
  expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.FROZEN });
  expect(steps(log, STEP_INTENT)).toHaveLength(4);
});

test("an abort takes the cut back and ends the run as aborted", () => {
  const log = drive([...CUT_STANDS, row(ABORT_ASKED, { text: "stop" })], ALL_WELL);
  expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.ABORTED, text: "stop" });
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1"]);
});

test("an abort after the link was let back has nothing to take back", () => {
  const restored = [
    ...CUT_STANDS,
    verified("await-link-down"),
    sent("restore-link"),
    resultRow("restore-link", 1, DONE),
  ];
  const log = drive([...restored, verified("restore-link"), row(ABORT_ASKED)], ALL_WELL);
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1"]);
  expect(log.at(-1)).toMatchObject({ state: RunState.ABORTED });
});

test("a run that has ended has no next move", () => {
  expect(nextMove(PLAN, [...BEGUN, row(ENDED, { state: RunState.FAILED })])).toEqual({ move: "none" });
});

test.each<[string, RunEvent[], RunState]>([
  ["planned", [row(RunEventKind.PLANNED)], RunState.AWAITING_APPROVAL],
  ["approved", [row(APPROVED)], RunState.RUNNING],
  ["taking back", [row(APPROVED), row(UNDO_STARTED)], RunState.UNDOING],
  ["ended", [row(APPROVED), row(UNDO_STARTED), row(ENDED, { state: RunState.FROZEN })], RunState.FROZEN],
])("the state of a run that is %s is in its rows", (_what, rows, state) => {
  expect(runState(rows)).toBe(state);
});
