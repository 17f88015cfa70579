/**
 * How a run is taken up after the orchestrator was away. It goes on where its log ends, by looking; but an approval that
 * nothing followed is for a world of then, and grows too old like any other (I32). A run that was in the middle of its
 * work, and was left alone for longer than an approval is good for, does not go on unasked: people have acted meanwhile.
 */
import { RunEventKind, RunState, type Run, type RunEvent } from "@vigie/proto";
import { isTooOldToApprove } from "./approval.js";
import { planAgain } from "./plan-again.js";
import { isUntouched } from "./run-log.js";
import { nextMove } from "./next-move.js";
import { mannerOf } from "./action-facts.js";

/** @returns the row to go on with; undefined: a person must speak first */
export function recoveryRow(run: Run, wallUnixMs: number): Partial<RunEvent> | undefined {
  const { plan, events, state } = run;
  if (state === RunState.FROZEN || plan === undefined) return undefined;
  const approved = events.some(({ kind }) => kind === RunEventKind.APPROVED);
  if (approved && isUntouched(plan, events) && isTooOldToApprove(plan, wallUnixMs))
    return {
      kind: RunEventKind.ABORT_ASKED,
      text: `it was approved, and nothing of it was begun for more than 15 minutes; plan it again: ${planAgain(plan)}`,
    };
  const leftUnixMs = events.at(-1)?.unixMs ?? 0;
  if (state === RunState.RUNNING && isTooOldToApprove({ plannedUnixMs: leftUnixMs }, wallUnixMs))
    return {
      kind: RunEventKind.PAUSE_ASKED,
      text: `the orchestrator started again, and nothing of this run was done for ${minutes(wallUnixMs - leftUnixMs)} min: look at it, then resume or abort it`,
    };
  const next = nextMove(plan, events);
  const undoes = state === RunState.UNDOING && next.move === "send" && !mannerOf(next.step).takesBack;
  if (undoes && isTooOldToApprove({ plannedUnixMs: leftUnixMs }, wallUnixMs))
    return {
      kind: RunEventKind.FROZEN,
      stepId: next.step.id,
      text: `the orchestrator started again, and nothing of this undo was done for ${minutes(wallUnixMs - leftUnixMs)} min: look at it, then retry, or take it over`,
    };
  return { kind: RunEventKind.RECOVERED, text: "the orchestrator started again; the world is looked at" };
}

function minutes(ms: number): number {
  return Math.round(ms / 60_000);
}
