/** What the engine's tests share: a plan of four steps, and rows as the executor writes them. */
import { ActionOutcome, ActionResult, DrbdEnd, Plan, RunEvent, RunEventKind, StepKind } from "@vigie/proto";
import { nextMove, type Move } from "./next-move.js";

const END = DrbdEnd.create({
  instance: "web1.example",
  node: "h1",
  minor: 0,
  peerNode: "h2",
  peerMinor: 10,
  peerAddress: "10.0.0.2",
  port: 11_000,
});

const PEER_END = DrbdEnd.create({ ...END, node: "h2", minor: 10, peerNode: "h1", peerMinor: 0 });
const act = { kind: StepKind.ACT, node: "h1", deadlineMs: 5_000 };
const wait = { kind: StepKind.WAIT, node: "h1", deadlineMs: 5_000 };
const ends = { end: END, peerEnd: PEER_END };

/** Cut, wait, restore, wait: the shape of reset-stalled-sync. */
export const PLAN = Plan.create({
  runbook: "reset-stalled-sync",
  steps: [
    {
      ...act,
      id: "cut-link",
      action: { kind: { $case: "cutDrbdLink", value: { end: END } } },
      condition: { what: { $case: "cutStands", value: { end: END } } },
      undoStepId: "restore-link",
    },
    { ...wait, id: "await-link-down", condition: { what: { $case: "linkDown", value: ends } } },
    {
      ...act,
      id: "restore-link",
      action: { kind: { $case: "restoreDrbdLink", value: { end: END } } },
      condition: { what: { $case: "cutGone", value: { end: END } } },
    },
    { ...wait, id: "await-resync-moves", condition: { what: { $case: "resyncMoves", value: ends } } },
  ],
});

export function row(kind: RunEventKind, of: Partial<RunEvent> = {}): RunEvent {
  return RunEvent.create({ kind, ...of });
}

export function resultRow(stepId: string, attempt: number, outcome: ActionOutcome, code = ""): RunEvent {
  const result = ActionResult.create({ outcome, code });
  return row(RunEventKind.STEP_RESULT, { stepId, attempt, result });
}

export const BEGUN: readonly RunEvent[] = [row(RunEventKind.PLANNED), row(RunEventKind.APPROVED)];

/** What the world answers to a move; an empty list: nothing came of it, ask again. */
export type Answer = (
  move: Exclude<Move, { move: "none" }>,
  rows: readonly RunEvent[],
) => readonly RunEvent[];

/** The rows of a move, as the executor writes them, when everything goes well. */
export const ALL_WELL: Answer = (move) => {
  switch (move.move) {
    case "await-approval":
      return [row(RunEventKind.APPROVED)];
    case "send":
      return [...intent(move), resultRow(move.step.id, move.attempt, ActionOutcome.DONE)];
    case "await":
      return [row(RunEventKind.STEP_VERIFIED, { stepId: move.step.id, attempt: move.attempt })];
    case "fail-step":
      return [
        row(RunEventKind.STEP_FAILED, { stepId: move.step.id, attempt: move.attempt, text: move.reason }),
      ];
    case "await-person":
      return [row(RunEventKind.ABORT_ASKED, { text: "a person has looked" })];
    case "freeze":
      return [row(RunEventKind.FROZEN, { text: move.reason })];
    case "start-undo":
      return [row(RunEventKind.UNDO_STARTED, { text: move.reason })];
    case "end":
      return [row(RunEventKind.ENDED, { state: move.state, text: move.reason })];
  }
};

export function intent(move: Extract<Move, { move: "send" }>): RunEvent[] {
  if (move.begun) return [];
  return [row(RunEventKind.STEP_INTENT, { stepId: move.step.id, attempt: move.attempt })];
}

/** Goes on from `rows` until the run has ended, or a person must speak. @throws Error when it does not within `limit` */
export function drive(
  rows: readonly RunEvent[],
  answer: Answer,
  { plan = PLAN, limit = 200, person = false } = {},
): RunEvent[] {
  const log = [...rows];
  for (let made = 0; made < limit; made += 1) {
    const move = nextMove(plan, log);
    if (move.move === "none" || (move.move === "await-person" && !person)) return log;
    log.push(...answer(move, log));
  }
  throw new Error(
    `not ended after ${limit} moves: the last rows are ${log
      .slice(-4)
      .map((r) => `${r.kind} ${r.stepId}`)
      .join(", ")}`,
  );
}
