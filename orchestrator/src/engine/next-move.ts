/**
 * What a run does next: a pure function of its plan and its log. The engine has no other memory, so after a crash
 * at any row the same function, given the same rows, says where to go on (I22, I28).
 *
 * A step that was begun and has no result is asked again under the same key: the agent answers from its journal, or
 * says that it does not know, and then the world is looked at. A failed step ends the run: what can be taken back
 * is taken back, and when that fails, everything stops for a person.
 */
import {
  ActionOutcome,
  RunEventKind,
  RunState,
  StepKind,
  type ActionResult,
  type Plan,
  type PlanStep,
  type RunEvent,
} from "@vigie/proto";
import { stepById } from "../runbooks/runbook.js";

export type Move =
  | { readonly move: "none" } // it has ended
  | { readonly move: "await-approval" }
  | { readonly move: "send"; readonly step: PlanStep; readonly attempt: number; readonly begun: boolean }
  | { readonly move: "await"; readonly step: PlanStep; readonly attempt: number }
  | { readonly move: "fail-step"; readonly step: PlanStep; readonly attempt: number; readonly reason: string }
  | { readonly move: "start-undo"; readonly reason: string }
  | { readonly move: "end"; readonly state: RunState; readonly reason: string };

const ATTEMPTS_WHEN_LATE = 3;

interface Attempt {
  readonly attempt: number;
  readonly result: ActionResult | undefined;
  readonly verified: boolean;
  readonly failed: string | undefined; // why
}

export function nextMove(plan: Plan, events: readonly RunEvent[]): Move {
  if (events.some((e) => e.kind === RunEventKind.ENDED)) return { move: "none" };
  if (!events.some((e) => e.kind === RunEventKind.APPROVED)) {
    const aborted = events.find((e) => e.kind === RunEventKind.ABORT_ASKED);
    return aborted === undefined
      ? { move: "await-approval" }
      : { move: "end", state: RunState.ABORTED, reason: aborted.text };
  }
  const undoAt = events.findIndex((e) => e.kind === RunEventKind.UNDO_STARTED);
  return undoAt === -1 ? forward(plan, events) : backward(plan, events, undoAt);
}

function forward(plan: Plan, events: readonly RunEvent[]): Move {
  const failure = events.find(
    (e) => e.kind === RunEventKind.STEP_FAILED || e.kind === RunEventKind.ABORT_ASKED,
  );
  if (failure !== undefined) {
    if (toUndo(plan, events).length > 0) return { move: "start-undo", reason: failure.text };
    return { move: "end", state: endState(events), reason: failure.text };
  }
  for (const step of plan.steps) {
    const last = lastAttempt(events, step);
    if (last?.verified === true) continue;
    return stepMove(step, last, 1);
  }
  return { move: "end", state: RunState.SUCCEEDED, reason: "every step was seen in the world" };
}

/** Takes back what ran or may have run, newest first. Steps after `undoAt` are the undo's own. */
function backward(plan: Plan, events: readonly RunEvent[], undoAt: number): Move {
  const before = events.slice(0, undoAt);
  const since = events.slice(undoAt);
  for (const step of toUndo(plan, before).toReversed()) {
    const undo = stepById(plan, step.undoStepId);
    if (undo === undefined) continue;
    const last = lastAttempt(since, undo);
    if (last?.verified === true) continue;
    if (last?.failed !== undefined)
      return {
        move: "end",
        state: RunState.FROZEN,
        reason: `${undo.title} could not be confirmed: ${last.failed}`,
      };
    const used = Math.max(0, ...before.filter((e) => e.stepId === undo.id).map((e) => e.attempt));
    return stepMove(undo, last, used + 1); // keys of its own: the forward step's are spent
  }
  const failure = events.find(
    (e) => e.kind === RunEventKind.STEP_FAILED || e.kind === RunEventKind.ABORT_ASKED,
  );
  return { move: "end", state: endState(events), reason: failure?.text ?? "taken back" };
}

function stepMove(step: PlanStep, last: Attempt | undefined, firstAttempt: number): Move {
  if (step.kind === StepKind.WAIT) return { move: "await", step, attempt: 1 };
  if (last === undefined) return { move: "send", step, attempt: firstAttempt, begun: false };
  const { attempt, result } = last;
  if (result === undefined) return { move: "send", step, attempt, begun: true };
  if (result.outcome !== ActionOutcome.REFUSED) return { move: "await", step, attempt };
  const late = result.code === "TOO_LATE" && attempt < firstAttempt + ATTEMPTS_WHEN_LATE - 1;
  if (late) return { move: "send", step, attempt: attempt + 1, begun: false };
  return { move: "fail-step", step, attempt, reason: `refused: ${result.message}` };
}

/** Steps that changed the world or may have, and that nothing took back yet. */
function toUndo(plan: Plan, events: readonly RunEvent[]): PlanStep[] {
  return plan.steps.filter((step) => {
    if (step.undoStepId === "") return false;
    const attempts = attemptsOf(events, step);
    const mayHaveRun = attempts.some((a) => a.result?.outcome !== ActionOutcome.REFUSED);
    const undo = stepById(plan, step.undoStepId);
    const takenBack = undo !== undefined && lastAttempt(events, undo)?.verified === true;
    return mayHaveRun && !takenBack;
  });
}

function lastAttempt(events: readonly RunEvent[], step: PlanStep): Attempt | undefined {
  return attemptsOf(events, step).at(-1);
}

function attemptsOf(events: readonly RunEvent[], step: PlanStep): Attempt[] {
  const own = events.filter((e) => e.stepId === step.id);
  const numbers = [...new Set(own.filter(begins(step)).map((e) => e.attempt))];
  return numbers.map((attempt) => {
    const of = own.filter((e) => e.attempt === attempt);
    return {
      attempt,
      result: of.findLast((e) => e.kind === RunEventKind.STEP_RESULT)?.result,
      verified: of.some((e) => e.kind === RunEventKind.STEP_VERIFIED),
      failed: of.find((e) => e.kind === RunEventKind.STEP_FAILED)?.text,
    };
  });
}

/** A waiting step has no intent: its first row is what came of it. */
function begins(step: PlanStep): (event: RunEvent) => boolean {
  if (step.kind === StepKind.WAIT) return () => true;
  return (event) => event.kind === RunEventKind.STEP_INTENT;
}

function endState(events: readonly RunEvent[]): RunState {
  return events.some((e) => e.kind === RunEventKind.ABORT_ASKED) ? RunState.ABORTED : RunState.FAILED;
}

/** What a run's rows make of it. */
export function runState(events: readonly RunEvent[]): RunState {
  const ended = events.findLast((e) => e.kind === RunEventKind.ENDED); // a person may end what was frozen
  if (ended !== undefined) return ended.state;
  if (events.some((e) => e.kind === RunEventKind.UNDO_STARTED)) return RunState.UNDOING;
  return events.some((e) => e.kind === RunEventKind.APPROVED) ? RunState.RUNNING : RunState.AWAITING_APPROVAL;
}
