/**
 * What a run does next: a pure function of its plan and its log. The engine has no other memory, so after a crash
 * at any row the same function, given the same rows, says where to go on (I22, I28).
 *
 * A step that was begun and has no result is recalled under the same key: the agent answers from its journal, or says
 * that it never began it, and then the step is one not yet begun: everything before its send is asked again (I22). A failed step ends the run, and what can be taken
 * back is taken back; but once a step without a way back may have run, or when the taking back fails, everything
 * stops for a person, who says retry, skip, abort or take over.
 */
import {
  ActionOutcome,
  RunEventKind,
  RunState,
  StepKind,
  type Plan,
  type PlanStep,
  type RunEvent,
} from "@vigie/proto";
import { stepById } from "../runbooks/runbook.js";
import { mannerOf } from "./action-facts.js";
import { movesGuestsAnywhere } from "./locks.js";
import {
  attemptsOf,
  has,
  isDone,
  isFrozen,
  isPastReturn,
  isPaused,
  mayHaveRun,
  PASSES_BY_ITSELF,
  sinceRetry,
  standingFailure,
  toTakeBack,
  undosOf,
  skippedByPerson,
} from "./run-log.js";

export type Move =
  | { readonly move: "none" } // it has ended
  | { readonly move: "await-approval" }
  | { readonly move: "await-person" } // frozen or paused
  | { readonly move: "send"; readonly step: PlanStep; readonly attempt: number; readonly begun: boolean }
  | { readonly move: "await"; readonly step: PlanStep; readonly attempt: number }
  | { readonly move: "fail-step"; readonly step: PlanStep; readonly attempt: number; readonly reason: string }
  | { readonly move: "freeze"; readonly stepId: string; readonly reason: string }
  | { readonly move: "start-undo"; readonly reason: string }
  | { readonly move: "end"; readonly state: RunState; readonly reason: string };

const ATTEMPTS_WHEN_LATE = 5; // a node whose disk dies reads slowly, at first
/** Refused for what is not known yet, or not any more: with facts of then the guard may hold. */
const ASKED_AGAIN: ReadonlySet<string> = new Set(["TOO_LATE", ...PASSES_BY_ITSELF]);
/** The request never left, or never came to its node: the step is not yet begun. */
const NOTHING_CAME: ReadonlySet<string> = new Set(["NOT_SENT", "NOT_BEGUN"]);

export function nextMove(plan: Plan, events: readonly RunEvent[]): Move {
  if (has(events, RunEventKind.ENDED)) return { move: "none" };
  const takenOver = events.find((e) => e.kind === RunEventKind.TAKEN_OVER);
  if (takenOver !== undefined)
    return (
      stillMoves(plan, events) ?? {
        move: "end",
        state: RunState.ABORTED,
        reason: `taken over by ${takenOver.actor}: ${takenOver.text}`,
      }
    );
  const aborted = events.findLast((e) => e.kind === RunEventKind.ABORT_ASKED);
  if (!has(events, RunEventKind.APPROVED))
    return aborted === undefined
      ? { move: "await-approval" }
      : { move: "end", state: RunState.ABORTED, reason: aborted.text };
  if (isFrozen(events)) return { move: "await-person" };
  const undoAt = events.findIndex((e) => e.kind === RunEventKind.UNDO_STARTED);
  return undoAt === -1 ? forward(plan, events, aborted) : backward(plan, events, undoAt);
}

function forward(plan: Plan, events: readonly RunEvent[], aborted: RunEvent | undefined): Move {
  const moving = aborted === undefined ? undefined : stillMoves(plan, events);
  if (moving !== undefined) return moving;
  const failure = standingFailure(events);
  if (aborted === undefined && failure !== undefined && freezes(plan, events, failure))
    return {
      move: "freeze",
      stepId: failure.stepId,
      reason: `${titleOf(plan, failure.stepId)}: ${failure.text}`,
    };
  if (aborted === undefined && failure !== undefined && isPaused(events) && undoes(plan, events))
    return {
      move: "freeze",
      stepId: failure.stepId,
      reason: `${titleOf(plan, failure.stepId)}: ${failure.text}; it is paused, and nothing is taken back unasked`,
    };
  const over = aborted ?? failure;
  if (over !== undefined) {
    if (toTakeBack(plan, events).length > 0) return { move: "start-undo", reason: over.text };
    return { move: "end", state: endState(events), reason: over.text };
  }
  for (const step of plan.steps) {
    if (step.onlyAsUndo || isDone(events, step.id)) continue;
    const move = stepMove(step, events, events);
    return isPaused(events) && begins(move) ? { move: "await-person" } : move;
  }
  const skipped = skippedByPerson(events).join(", ");
  const but = skipped === "" ? "" : `, but for what a person skipped: ${skipped}`;
  return { move: "end", state: RunState.SUCCEEDED, reason: `every step was seen in the world${but}` };
}

/** Neither an abort nor a take-over ends hbal: until its agent has said what became of it, what the run holds stays held (I9). */
function stillMoves(plan: Plan, events: readonly RunEvent[]): Move | undefined {
  for (const step of plan.steps.filter(movesGuestsAnywhere)) {
    const last = attemptsOf(events, step.id).at(-1);
    if (last?.sent === true && last.result === undefined && last.failed === undefined)
      return { move: "send", step, attempt: last.attempt, begun: true };
  }
  return undefined;
}

/**
 * Past the point of return a failure is a person's to judge (I28). So is a premise that does not hold any more once
 * anything was done: somebody else acts on the same things, and to take back what was done may be wrong too (I15).
 */
function freezes(plan: Plan, events: readonly RunEvent[], failure: RunEvent): boolean {
  if (isPastReturn(plan, events)) return true;
  return failure.kind === RunEventKind.PREMISE_FAILED && plan.steps.some(({ id }) => mayHaveRun(events, id));
}

/** More than a cut or the watcher's pause would be taken back. */
function undoes(plan: Plan, events: readonly RunEvent[]): boolean {
  return undosOf(plan, toTakeBack(plan, events)).some((undo) => !mannerOf(undo).takesBack);
}

/** Takes back what ran or may have run, newest first. Steps after `undoAt` are the undo's own. */
function backward(plan: Plan, events: readonly RunEvent[], undoAt: number): Move {
  const since = events.slice(undoAt);
  for (const step of toTakeBack(plan, events.slice(0, undoAt)).toReversed()) {
    const undo = stepById(plan, step.undoStepId);
    if (undo === undefined || isDone(since, undo.id)) continue;
    const failed = standingFailure(since.filter((e) => e.stepId === undo.id));
    if (failed === undefined) return stepMove(undo, since, events);
    const stopped = since.findLastIndex((e) => e.kind === RunEventKind.FROZEN);
    const ended = since.slice(stopped + 1).find((e) => e.kind === RunEventKind.ABORT_ASKED);
    if (stopped !== -1 && ended !== undefined)
      return { move: "end", state: RunState.ABORTED, reason: ended.text }; // a person has looked
    return {
      move: "freeze",
      stepId: undo.id,
      reason: `${undo.title} could not be confirmed: ${failed.text}`,
    };
  }
  return { move: "end", state: endState(events), reason: events[undoAt]?.text ?? "taken back" };
}

/**
 * @param phase rows of this way, forward or back: what was tried on the other does not count
 * @param all rows of the run: a key is used once
 */
function stepMove(step: PlanStep, phase: readonly RunEvent[], all: readonly RunEvent[]): Move {
  const round = attemptsOf(sinceRetry(phase, step.id), step.id);
  const last = round.at(-1);
  const next = Math.max(0, ...attemptsOf(all, step.id).map((a) => a.attempt)) + 1;
  if (step.kind === StepKind.WAIT) return { move: "await", step, attempt: last?.attempt ?? next };
  if (last === undefined) return { move: "send", step, attempt: next, begun: false };
  const { attempt, result } = last;
  if (result === undefined) return { move: "send", step, attempt, begun: last.sent };
  if (result.outcome !== ActionOutcome.REFUSED) return { move: "await", step, attempt };
  if (NOTHING_CAME.has(result.code)) return { move: "send", step, attempt: next, begun: false };
  const late = round.filter((tried) => !NOTHING_CAME.has(tried.result?.code ?? "")).length;
  if (ASKED_AGAIN.has(result.code) && late < ATTEMPTS_WHEN_LATE)
    return { move: "send", step, attempt: next, begun: false };
  return { move: "fail-step", step, attempt, reason: `refused: ${result.message}` };
}

/** Nothing of this step was done yet: a pause stops before it, and not in its middle. */
function begins(move: Move): boolean {
  return move.move === "send" && !move.begun;
}

function endState(events: readonly RunEvent[]): RunState {
  return has(events, RunEventKind.ABORT_ASKED) ? RunState.ABORTED : RunState.FAILED;
}

function titleOf(plan: Plan, stepId: string): string {
  return stepById(plan, stepId)?.title ?? stepId;
}
