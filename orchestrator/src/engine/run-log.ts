/**
 * What the rows of a run say of it: which steps are done, which attempt failed and was not answered by a person yet,
 * what may have run and was not taken back. Pure reading; what follows from it is next-move.ts.
 */
import {
  ActionOutcome,
  RunEventKind,
  RunState,
  type ActionResult,
  type Condition,
  type Plan,
  type PlanStep,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import { stepById } from "../runbooks/runbook.js";
import { mannerOf } from "./action-facts.js";

/** One try of one step: the rows with its id and its number. */
export interface Attempt {
  readonly attempt: number;
  readonly sent: boolean; // its intent is on disk: it may have run
  readonly result: ActionResult | undefined;
  readonly verified: boolean;
  readonly failed: string | undefined; // why
}

const OF_AN_ATTEMPT: ReadonlySet<RunEventKind> = new Set([
  RunEventKind.STEP_INTENT,
  RunEventKind.STEP_RESULT,
  RunEventKind.STEP_VERIFIED,
  RunEventKind.STEP_FAILED,
  RunEventKind.PREMISE_FAILED,
]);

const FAILED: ReadonlySet<RunEventKind> = new Set([RunEventKind.STEP_FAILED, RunEventKind.PREMISE_FAILED]);

export function attemptsOf(events: readonly RunEvent[], stepId: string): Attempt[] {
  const byNumber = Map.groupBy(
    events.filter((e) => e.stepId === stepId && OF_AN_ATTEMPT.has(e.kind)),
    (e) => e.attempt,
  );
  return [...byNumber].map(([attempt, rows]) => ({
    attempt,
    sent: rows.some((e) => e.kind === RunEventKind.STEP_INTENT),
    result: rows.findLast((e) => e.kind === RunEventKind.STEP_RESULT)?.result,
    verified: rows.some((e) => e.kind === RunEventKind.STEP_VERIFIED),
    failed: rows.find((e) => FAILED.has(e.kind))?.text,
  }));
}

export function has(events: readonly RunEvent[], kind: RunEventKind): boolean {
  return events.some((e) => e.kind === kind);
}

/** Seen in the world, or left as it is: by `only_if`, or by a person. */
export function isDone(events: readonly RunEvent[], stepId: string): boolean {
  return events.some(
    (e) =>
      e.stepId === stepId && (e.kind === RunEventKind.STEP_VERIFIED || e.kind === RunEventKind.STEP_SKIPPED),
  );
}

/** Rows of a step since a person last asked to try it again. */
export function sinceRetry(events: readonly RunEvent[], stepId: string): readonly RunEvent[] {
  const retry = events.findLastIndex((e) => e.kind === RunEventKind.RETRY_ASKED && e.stepId === stepId);
  return events.slice(retry + 1);
}

/** The first failure that no person has answered with "again" or "skip". */
export function standingFailure(events: readonly RunEvent[]): RunEvent | undefined {
  return events.find((e, at) => {
    if (!FAILED.has(e.kind)) return false;
    return !events.slice(at + 1).some((later) => later.stepId === e.stepId && answers(later));
  });
}

function answers({ kind }: RunEvent): boolean {
  return kind === RunEventKind.RETRY_ASKED || kind === RunEventKind.STEP_SKIPPED;
}

/** Frozen, and nobody has said anything since. */
export function isFrozen(events: readonly RunEvent[]): boolean {
  const frozen = events.findLastIndex((e) => e.kind === RunEventKind.FROZEN);
  if (frozen === -1) return false;
  return !events.slice(frozen + 1).some((e) => answers(e) || e.kind === RunEventKind.ABORT_ASKED);
}

export function isPaused(events: readonly RunEvent[]): boolean {
  const last = events.findLast(
    (e) => e.kind === RunEventKind.PAUSE_ASKED || e.kind === RunEventKind.RESUME_ASKED,
  );
  return last?.kind === RunEventKind.PAUSE_ASKED;
}

/** The step was sent, and no agent said that it refused: the world may be changed. */
export function mayHaveRun(events: readonly RunEvent[], stepId: string): boolean {
  return attemptsOf(events, stepId).some(
    ({ sent, result }) => sent && result?.outcome !== ActionOutcome.REFUSED,
  );
}

/** A step without a way back may have run: from here on a failure is a person's to judge (I28). */
export function isPastReturn(plan: Plan, events: readonly RunEvent[]): boolean {
  return plan.steps.some((step) => step.irreversible && mayHaveRun(events, step.id));
}

/** Nothing of the run was done, seen or said since its approval: it is still only approved. */
export function isUntouched(plan: Plan | undefined, events: readonly RunEvent[]): boolean {
  if (events.some(({ kind }) => TOUCHES.has(kind))) return false;
  return !mayHaveChanged({ plan, events });
}

interface Past {
  readonly plan: Plan | undefined;
  readonly events: readonly RunEvent[];
}

/** A step of it was sent, and was not refused. */
export function mayHaveChanged({ plan, events }: Past): boolean {
  return plan?.steps.some((step) => mayHaveRun(events, step.id)) === true;
}

/** A person left a step as it was: nobody saw in the world what it was to do. */
export function skippedByPerson(events: readonly RunEvent[]): string[] {
  return events
    .filter(({ kind, actor }) => kind === RunEventKind.STEP_SKIPPED && actor !== "" && actor !== ENGINE)
    .map(({ stepId }) => stepId);
}

/** A person said that it is to end. */
export function wasGivenUp(events: readonly RunEvent[]): boolean {
  return events.some(
    ({ kind, actor }) =>
      kind === RunEventKind.TAKEN_OVER || (kind === RunEventKind.ABORT_ASKED && actor !== ENGINE),
  );
}

/**
 * An agent's refusals that pass by themselves, and are no "no": it does not know enough yet, or its node has not heard
 * yet who the master is. Where another one leads by now, that is heard soon, and nothing is sent any more.
 */
export const PASSES_BY_ITSELF: ReadonlySet<string> = new Set(["NOT_KNOWN_YET", "STALE_EPOCH"]);

/** It ended before anything was changed, and neither an agent's guard nor a person said no: it could not be begun. */
export function couldNotBegin(run: Run): boolean {
  const refused = run.events.some((e) => e.result !== undefined && !PASSES_BY_ITSELF.has(e.result.code));
  return !refused && !wasGivenUp(run.events) && has(run.events, RunEventKind.ENDED) && !mayHaveChanged(run);
}

/** The actor of what nobody asked for. */
export const ENGINE = "engine";

const TOUCHES: ReadonlySet<RunEventKind> = new Set([
  RunEventKind.STEP_VERIFIED,
  RunEventKind.STEP_SKIPPED,
  RunEventKind.STEP_WAITING,
  RunEventKind.PERSON_SAID,
  RunEventKind.UNDO_STARTED,
]);

/**
 * Steps that changed the world or may have, and that nothing took back since; in the plan's order. Past the point of
 * return only a cut and the watcher's pause are taken back: to set a node online again whose guests were started
 * elsewhere, or offline below its guests, would do harm (I28).
 */
export function toTakeBack(plan: Plan, events: readonly RunEvent[]): PlanStep[] {
  const past = isPastReturn(plan, events);
  return plan.steps.filter((step) => {
    const undo = stepById(plan, step.undoStepId);
    if (undo === undefined || !mayHaveRun(events, step.id)) return false;
    if (past && !mannerOf(undo).takesBack) return false;
    const lastSent = events.findLastIndex((e) => e.kind === RunEventKind.STEP_INTENT && e.stepId === step.id);
    return !events.slice(lastSent).some((e) => e.kind === RunEventKind.STEP_VERIFIED && e.stepId === undo.id);
  });
}

/** The steps that take these back. */
export function undosOf(plan: Plan, steps: readonly PlanStep[]): PlanStep[] {
  return steps.map(({ undoStepId }) => stepById(plan, undoStepId)).filter((undo) => undo !== undefined);
}

/** The job that a step put into Ganeti's queue; 0: none yet. */
export function jobIdOf(events: readonly RunEvent[], stepId: string): number {
  const row = events.findLast((e) => e.stepId === stepId && (e.result?.jobId ?? 0) > 0);
  return row?.result?.jobId ?? 0;
}

/** Jobs of the run's that may be in Ganeti's queue still: nobody has seen them succeed. */
export function ownJobs(
  plan: Plan,
  events: readonly RunEvent[],
): { readonly step: PlanStep; readonly jobId: number }[] {
  return plan.steps
    .map((step) => ({ step, jobId: jobIdOf(events, step.id) }))
    .filter(({ step, jobId }) => jobId !== 0 && !(isDone(events, step.id) && awaitsSuccess(step.condition)));
}

/** Else it was only seen to be in the queue. */
function awaitsSuccess(condition: Condition | undefined): boolean {
  const what = condition?.what;
  if (what?.$case === "allOf") return what.value.conditions.some(awaitsSuccess);
  return what?.$case === "jobSucceeded";
}

/** What a run's rows make of it. */
export function runState(events: readonly RunEvent[]): RunState {
  const ended = events.findLast((e) => e.kind === RunEventKind.ENDED);
  if (ended !== undefined) return ended.state;
  if (!has(events, RunEventKind.APPROVED)) return RunState.AWAITING_APPROVAL;
  if (isFrozen(events)) return RunState.FROZEN;
  const ending = has(events, RunEventKind.ABORT_ASKED) || has(events, RunEventKind.TAKEN_OVER);
  if (ending || has(events, RunEventKind.UNDO_STARTED)) return RunState.UNDOING;
  if (isPaused(events)) return RunState.PAUSED;
  return waits(events) ? RunState.WAITING : RunState.RUNNING;
}

function waits(events: readonly RunEvent[]): boolean {
  const waiting = events.findLast((e) => e.kind === RunEventKind.STEP_WAITING);
  if (waiting === undefined) return false;
  const since = events.slice(events.indexOf(waiting) + 1);
  return !since.some(
    (e) =>
      e.stepId === waiting.stepId &&
      (e.kind === RunEventKind.STEP_VERIFIED ||
        e.kind === RunEventKind.STEP_FAILED ||
        e.kind === RunEventKind.STEP_SKIPPED),
  );
}
