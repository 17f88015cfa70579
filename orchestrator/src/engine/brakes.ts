/**
 * What stops a step at the very moment of its send. It is asked without waiting for anything, directly before the
 * request leaves, so no stop, pause or loss of leadership can come between the answer and the request (I26, I33).
 */
import { RunEventKind, RunState, type PlanStep, type Run } from "@vigie/proto";
import { isTooOldToApprove } from "./approval.js";
import { heldBeside, joinedBy } from "./locks.js";
import { has, isDone, isPaused, isUntouched } from "./run-log.js";

export interface BrakeParts {
  /** 0: this orchestrator may not act now. */
  readonly epoch: () => number;
  /** Why everything is stopped (I33); empty: it is not. */
  readonly stopped: () => string;
  readonly open: () => readonly Run[];
  readonly wallUnixMs: () => number;
  /** Of the policy: what is destructive may begin unasked now. */
  readonly isInWindow: () => boolean;
  /** Monotonic: this process has known the approval for so long. */
  readonly approvedForMs: (runId: string) => number;
}

/** "over": a person has ended the run or this step; "wait": asked again, it may be released. */
export type Brake = { readonly kind: "over" | "wait" | "expired"; readonly why: string };

/**
 * @param takesBack the step only takes a cut or the watcher's pause back: neither a stop nor an abort holds it
 * @param begunRows how many rows the run had when the step was begun: what a person said later is about this step
 */
export function brakeOn(
  parts: BrakeParts,
  run: Run,
  step: PlanStep,
  { takesBack, begunRows }: { readonly takesBack: boolean; readonly begunRows: number },
): Brake | undefined {
  const { events, plan } = run;
  const since = events.slice(begunRows);
  if (has(events, RunEventKind.ENDED) || has(events, RunEventKind.TAKEN_OVER) || isDone(since, step.id))
    return { kind: "over", why: "a person has ended it" };
  if (parts.epoch() === 0) return { kind: "wait", why: "this orchestrator does not lead (I26)" };
  if (takesBack) return undefined;
  if (has(since, RunEventKind.ABORT_ASKED)) return { kind: "over", why: "a person has asked for its end" };
  if (parts.stopped() !== "") return { kind: "wait", why: `everything is stopped: ${parts.stopped()} (I33)` };
  if (isPaused(events) && !has(events, RunEventKind.UNDO_STARTED))
    return { kind: "wait", why: "it is paused" };
  const open = parts.open();
  const joined = joinedBy(run, open);
  if (joined !== undefined) return { kind: "wait", why: waitsFor(joined, "works on the same", "I21") };
  const beside = heldBeside(run, step, open);
  if (beside !== undefined)
    return { kind: "wait", why: waitsFor(beside, "and hbal could work on the same instance", "I9") };
  if (
    isUntouched(plan, events) &&
    run.approvedBy === "policy" &&
    plan?.destructive === true &&
    !parts.isInWindow()
  )
    return { kind: "expired", why: "it was approved for a maintenance window, which is over" };
  if (isUntouched(plan, events) && isTooOld(run, parts))
    return { kind: "expired", why: "it was approved, and nothing of it was begun for more than 15 minutes" };
  return undefined;
}

function waitsFor({ id, state }: Run, what: string, invariant: string): string {
  const person = state === RunState.FROZEN || state === RunState.PAUSED;
  return `${id} ${what}${person ? `, and waits for a person: vigie run show ${id}` : ""} (${invariant})`;
}

function isTooOld({ id, events }: Run, { wallUnixMs, approvedForMs }: BrakeParts): boolean {
  const approved = events.findLast(({ kind }) => kind === RunEventKind.APPROVED);
  const at = { plannedUnixMs: approved?.unixMs ?? 0 };
  return approved !== undefined && isTooOldToApprove(at, wallUnixMs(), approvedForMs(id));
}
