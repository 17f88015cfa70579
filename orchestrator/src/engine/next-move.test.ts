import { ActionOutcome, Plan, RunEventKind, RunState, StepKind, type RunEvent } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { nextMove } from "./next-move.js";
import { runState } from "./run-log.js";
import { ALL_WELL, BEGUN, drive, intent, PLAN, resultRow, row, type Answer } from "./testing.js";

const {
  STEP_INTENT,
  STEP_FAILED,
  STEP_VERIFIED,
  STEP_SKIPPED,
  STEP_WAITING,
  ABORT_ASKED,
  RETRY_ASKED,
  PAUSE_ASKED,
  RESUME_ASKED,
  TAKEN_OVER,
  UNDO_STARTED,
  FROZEN,
  ENDED,
  APPROVED,
} = RunEventKind;
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

test("a run of which a person skipped a step says so at its end, and the engine's own skips it does not", () => {
  const done = PLAN.steps.slice(0, -1).map(({ id }) => verified(id));
  const skip = (actor: string): RunEvent => row(STEP_SKIPPED, { stepId: "await-resync-moves", actor });
  expect(nextMove(PLAN, [...BEGUN, ...done, skip("anna")])).toMatchObject({
    state: RunState.SUCCEEDED,
    reason: "every step was seen in the world, but for what a person skipped: await-resync-moves",
  });
  expect(nextMove(PLAN, [...BEGUN, ...done, skip("engine")])).toMatchObject({
    reason: "every step was seen in the world",
  });
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

test.each(["TOO_LATE", "NOT_KNOWN_YET", "STALE_EPOCH"])(
  "a step that is refused as %s is sent five times, with a new key each, and then fails",
  (code) => {
    const late: Answer = (move, rows) =>
      move.move === "send"
        ? [...intent(move), resultRow(move.step.id, move.attempt, REFUSED, code)]
        : ALL_WELL(move, rows);
    const log = drive(BEGUN, late);
    expect(steps(log, STEP_INTENT)).toEqual([1, 2, 3, 4, 5].map((n) => `cut-link ${n}`));
    expect(log.at(-1)).toMatchObject({ state: RunState.FAILED });
  },
);

test.each(["NOT_SENT", "NOT_BEGUN"])(
  "a step whose request never came to its agent (%s) is begun again, as often as that happens",
  (code) => {
    const lost: Answer = (move, rows) =>
      move.move === "send" && move.step.id === "cut-link" && move.attempt <= 9
        ? [...intent(move), resultRow(move.step.id, move.attempt, REFUSED, code)]
        : ALL_WELL(move, rows);
    const log = drive(BEGUN, lost);
    expect(steps(log, STEP_INTENT).slice(0, 10)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `cut-link ${n}`),
    );
    expect(log.at(-1)).toMatchObject({ state: RunState.SUCCEEDED });
  },
);

describe("a premise that does not hold any more (I15)", () => {
  const failing =
    (stepId: string): Answer =>
    (move, rows) =>
      move.move === "send" && move.step.id === stepId && move.attempt === 1
        ? [row(RunEventKind.PREMISE_FAILED, { stepId, attempt: 1, text: "web1 was migrated" })]
        : ALL_WELL(move, rows);

  test("ends a run that has changed nothing", () => {
    const log = drive(BEGUN, failing("cut-link"));
    expect(steps(log, STEP_INTENT)).toEqual([]);
    expect(log.at(-1)).toMatchObject({ state: RunState.FAILED, text: "web1 was migrated" });
  });

  test("freezes one that has, and takes nothing back before a person has looked", () => {
    const log = drive(BEGUN, failing("restore-link"));
    expect(log.at(-1)?.kind).toBe(RunEventKind.FROZEN);
    expect(log.some(({ kind }) => kind === UNDO_STARTED)).toBe(false);
  });

  test("is asked again when the person says retry", () => {
    const frozen = drive(BEGUN, failing("restore-link"));
    const retried = [...frozen, row(RunEventKind.RETRY_ASKED, { stepId: "restore-link" })];
    expect(drive(retried, failing("none")).at(-1)).toMatchObject({ state: RunState.SUCCEEDED });
  });
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
  expect(log.at(-1)).toMatchObject({ kind: FROZEN, text: expect.stringContaining("not seen") });
  expect(nextMove(PLAN, log)).toEqual({ move: "await-person" });
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1", "restore-link 1", "restore-link 2"]);
});

test("an abort of before the restore failed is no word about the frozen run; one after it is", () => {
  const rows = [
    ...CUT_STANDS,
    row(RunEventKind.ABORT_ASKED, { text: "stop it" }),
    row(UNDO_STARTED),
    sent("restore-link"),
    resultRow("restore-link", 1, UNKNOWN),
    failed("restore-link", "not seen"),
  ];
  expect(nextMove(PLAN, rows)).toMatchObject({
    move: "freeze",
    stepId: "restore-link",
    reason: expect.stringContaining("could not be confirmed: not seen"),
  });
  const frozen = [...rows, row(FROZEN)];
  expect(nextMove(PLAN, frozen)).toEqual({ move: "await-person" });
  const looked = [...frozen, row(RunEventKind.ABORT_ASKED, { text: "the link is up" })];
  expect(nextMove(PLAN, looked)).toMatchObject({
    move: "end",
    state: RunState.ABORTED,
    reason: "the link is up",
  });
});

test("the undo goes on although the step that it takes back has failed", () => {
  const rows = [...CUT_STANDS, failed("await-link-down", "not seen"), row(UNDO_STARTED)];
  expect(nextMove(PLAN, rows)).toMatchObject({ move: "send", step: { id: "restore-link" }, attempt: 1 });
});

test("a plan that was aborted before its approval ends, and one that was not waits", () => {
  expect(nextMove(PLAN, [row(RunEventKind.PLANNED)])).toEqual({ move: "await-approval" });
  const aborted = [row(RunEventKind.PLANNED), row(RunEventKind.ABORT_ASKED, { text: "too old" })];
  expect(nextMove(PLAN, aborted)).toEqual({ move: "end", state: RunState.ABORTED, reason: "too old" });
});

test("a pause holds a step back that was not begun, and lets one go on that was", () => {
  const paused = [...BEGUN, row(RunEventKind.PAUSE_ASKED)];
  expect(nextMove(PLAN, paused)).toEqual({ move: "await-person" });
  expect(nextMove(PLAN, [...BEGUN, sent("cut-link"), row(RunEventKind.PAUSE_ASKED)])).toMatchObject({
    move: "send",
    begun: true,
  });
  const waits = [...CUT_STANDS, row(RunEventKind.PAUSE_ASKED)];
  expect(nextMove(PLAN, waits)).toMatchObject({ move: "await", step: { id: "await-link-down" } });
});

test("requests that never came do not count among those that came too late", () => {
  const codes = ["NOT_SENT", "NOT_BEGUN", "TOO_LATE", "TOO_LATE", "TOO_LATE", "TOO_LATE"];
  const rows = codes.flatMap((code, i) => [
    sent("cut-link", i + 1),
    resultRow("cut-link", i + 1, REFUSED, code),
  ]);
  expect(nextMove(PLAN, [...BEGUN, ...rows])).toMatchObject({ move: "send", attempt: 7 });
  const last = [sent("cut-link", 7), resultRow("cut-link", 7, REFUSED, "TOO_LATE")];
  expect(nextMove(PLAN, [...BEGUN, ...rows, ...last])).toMatchObject({ move: "fail-step", attempt: 7 });
});

test("a restore that always comes too late is given up, and the run freezes", () => {
  const late: Answer = (move, rows) =>
    move.move === "send"
      ? [...intent(move), resultRow(move.step.id, move.attempt, REFUSED, "TOO_LATE")]
      : ALL_WELL(move, rows);
  const log = drive([...CUT_STANDS, failed("await-link-down", "not seen")], late);
  expect(log.at(-1)).toMatchObject({ kind: FROZEN });
  expect(steps(log, STEP_INTENT)).toHaveLength(6); // the cut, and five restores
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

describe("once a step without a way back may have run, a failure", () => {
  const act = { kind: StepKind.ACT, node: "h1" };
  const plan = Plan.create({
    steps: [
      { ...act, id: "pause-watcher", undoStepId: "continue-watcher" },
      { ...act, id: "detach", title: "detach minor 7", irreversible: true },
      { ...act, id: "remove-volumes" },
      { ...act, id: "continue-watcher", action: { kind: { $case: "continueWatcher", value: {} } } },
    ],
  });
  const done = (id: string): RunEvent[] => [sent(id), resultRow(id, 1, DONE), verified(id)];
  const begun = [...BEGUN, ...done("pause-watcher"), sent("detach"), resultRow("detach", 1, UNKNOWN)];
  const frozen = drive([...begun, failed("detach", "not seen")], ALL_WELL, { plan });

  test("freezes the run, and nothing is sent until a person speaks (I28)", () => {
    expect(frozen.at(-1)).toMatchObject({ kind: FROZEN, text: "detach minor 7: not seen" });
    expect(nextMove(plan, frozen)).toEqual({ move: "await-person" });
    expect(runState(frozen)).toBe(RunState.FROZEN);
  });

  test("of a later step freezes it as well", () => {
    const rows = [...begun, verified("detach"), sent("remove-volumes"), failed("remove-volumes", "open")];
    expect(drive(rows, ALL_WELL, { plan }).at(-1)).toMatchObject({ kind: FROZEN });
  });

  test("and where the agent refused it, is an ordinary failure: nothing ran", () => {
    const rows = [...BEGUN, ...done("pause-watcher"), sent("detach"), resultRow("detach", 1, REFUSED)];
    const log = drive(rows, ALL_WELL, { plan });
    expect(log.at(-1)).toMatchObject({ kind: ENDED, state: RunState.FAILED });
    expect(steps(log, STEP_INTENT)).toEqual(["pause-watcher 1", "detach 1", "continue-watcher 1"]);
  });

  test("is tried again under a new key, when a person says so", () => {
    const log = drive([...frozen, row(RETRY_ASKED, { stepId: "detach" })], ALL_WELL, { plan });
    expect(steps(log, STEP_INTENT).slice(0, 3)).toEqual(["pause-watcher 1", "detach 1", "detach 2"]);
    expect(log.at(-1)).toMatchObject({ state: RunState.SUCCEEDED });
  });

  test("is passed over, when a person says so", () => {
    const log = drive([...frozen, row(STEP_SKIPPED, { stepId: "detach" })], ALL_WELL, { plan });
    expect(steps(log, STEP_INTENT)).toEqual([
      "pause-watcher 1",
      "detach 1",
      "remove-volumes 1",
      "continue-watcher 1",
    ]);
  });

  test("that is aborted takes back what can be taken back", () => {
    const log = drive([...frozen, row(ABORT_ASKED, { text: "by hand" })], ALL_WELL, { plan });
    expect(steps(log, STEP_INTENT)).toEqual(["pause-watcher 1", "detach 1", "continue-watcher 1"]);
    expect(log.at(-1)).toMatchObject({ state: RunState.ABORTED, text: "by hand" });
  });

  test("that is taken over ends at once, and nothing is taken back", () => {
    const log = drive([...frozen, row(TAKEN_OVER, { actor: "anna", text: "on site" })], ALL_WELL, { plan });
    expect(log.at(-1)).toMatchObject({ state: RunState.ABORTED, text: "taken over by anna: on site" });
    expect(steps(log, STEP_INTENT)).toEqual(["pause-watcher 1", "detach 1"]);
  });
});

test("an undo that froze the run is tried again, or ended by a person who has looked", () => {
  const never: Answer = (move, rows) =>
    move.move === "await" && move.step.id === "restore-link"
      ? [failed("restore-link", "not seen", move.attempt)]
      : ALL_WELL(move, rows);
  const frozen = drive([...CUT_STANDS, failed("await-link-down", "not seen")], never);
  expect(frozen.at(-1)).toMatchObject({ kind: FROZEN });
  const again = drive([...frozen, row(RETRY_ASKED, { stepId: "restore-link" })], ALL_WELL);
  expect(again.at(-1)).toMatchObject({ kind: ENDED, state: RunState.FAILED });
  const ended = drive([...frozen, row(ABORT_ASKED, { text: "looked" })], ALL_WELL);
  expect(ended.at(-1)).toMatchObject({ kind: ENDED, state: RunState.ABORTED, text: "looked" });
});

test("a pause halts between two steps and not in the middle of one", () => {
  const inTheMiddle = [...BEGUN, sent("cut-link"), row(PAUSE_ASKED)];
  expect(nextMove(PLAN, inTheMiddle)).toMatchObject({ move: "send", begun: true });
  const between = [...CUT_STANDS, verified("await-link-down"), row(PAUSE_ASKED)];
  expect(nextMove(PLAN, between)).toEqual({ move: "await-person" });
  expect(runState(between)).toBe(RunState.PAUSED);
  expect(nextMove(PLAN, [...between, row(RESUME_ASKED)])).toMatchObject({ move: "send" });
});

describe("a step that fails while the run is paused", () => {
  const act = { kind: StepKind.ACT, node: "h1" };
  const node = { node: "h3" };
  const plan = Plan.create({
    steps: [
      {
        ...act,
        id: "set-offline",
        title: "h3 is offline",
        undoStepId: "set-online",
        action: { kind: { $case: "submitGanetiJob", value: { job: { $case: "modifyNode", value: node } } } },
      },
      { ...act, id: "failover" },
      {
        ...act,
        id: "set-online",
        onlyAsUndo: true,
        action: { kind: { $case: "submitGanetiJob", value: { job: { $case: "modifyNode", value: node } } } },
      },
    ],
  });
  const failedAt = [...BEGUN, sent("set-offline"), row(PAUSE_ASKED), failed("set-offline", "the job failed")];

  test("is a person's: nothing is taken back unasked, for people act while it is paused", () => {
    expect(nextMove(plan, failedAt)).toMatchObject({ move: "freeze", stepId: "set-offline" });
    const frozen = [...failedAt, row(FROZEN, { stepId: "set-offline" })];
    expect(nextMove(plan, [...frozen, row(RESUME_ASKED)])).toEqual({ move: "await-person" });
    expect(nextMove(plan, [...frozen, row(ABORT_ASKED)])).toMatchObject({ move: "start-undo" });
  });

  test("takes a cut back all the same", () => {
    const rows = [...CUT_STANDS, row(PAUSE_ASKED), failed("await-link-down", "not seen")];
    expect(nextMove(PLAN, rows)).toMatchObject({ move: "start-undo" });
  });

  test("is taken back where it is not paused any more", () => {
    const rows = [...BEGUN, sent("set-offline"), row(PAUSE_ASKED), row(RESUME_ASKED)];
    expect(nextMove(plan, [...rows, failed("set-offline", "no")])).toMatchObject({ move: "start-undo" });
  });
});

test("neither an abort nor a take-over ends a run while hbal may be at work: what it holds stays held (I9)", () => {
  const plan = Plan.create({
    steps: [
      {
        kind: StepKind.ACT,
        node: "h1",
        id: "rebalance",
        irreversible: true,
        action: { kind: { $case: "rebalance", value: {} } },
      },
    ],
  });
  for (const kind of [ABORT_ASKED, TAKEN_OVER]) {
    const rows = [...BEGUN, sent("rebalance"), row(kind, { actor: "anna" })];
    expect(nextMove(plan, rows)).toMatchObject({ move: "send", begun: true });
    const over = [...rows, resultRow("rebalance", 1, DONE)];
    expect(nextMove(plan, over)).toMatchObject({ move: "end", state: RunState.ABORTED });
  }
});

test("a step that only takes another one back is not on the way forward", () => {
  const [cut, down, restore] = PLAN.steps;
  if (cut === undefined || down === undefined || restore === undefined) throw new Error("no steps");
  const plan = { ...PLAN, steps: [cut, down, { ...restore, onlyAsUndo: true }] };
  const log = drive(BEGUN, ALL_WELL, { plan });
  expect(steps(log, STEP_INTENT)).toEqual(["cut-link 1"]);
  expect(log.at(-1)).toMatchObject({ state: RunState.SUCCEEDED });
});

const waiting = [row(APPROVED), row(STEP_WAITING, { stepId: "await-link-down" })];
test.each<[string, RunEvent[], RunState]>([
  ["planned", [row(RunEventKind.PLANNED)], RunState.AWAITING_APPROVAL],
  ["approved", [row(APPROVED)], RunState.RUNNING],
  ["taking back", [row(APPROVED), row(UNDO_STARTED)], RunState.UNDOING],
  ["frozen", [row(APPROVED), row(UNDO_STARTED), row(FROZEN)], RunState.FROZEN],
  ["waiting", waiting, RunState.WAITING],
  ["done with waiting", [...waiting, verified("await-link-down")], RunState.RUNNING],
  ["ended", [row(APPROVED), row(ENDED, { state: RunState.FAILED })], RunState.FAILED],
])("the state of a run that is %s is in its rows", (_what, rows, state) => {
  expect(runState(rows)).toBe(state);
});
