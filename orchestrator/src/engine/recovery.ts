/**
 * How a run is taken up after the orchestrator was away. It goes on where its log ends, by looking; but an approval that
 * nothing followed is for a world of then, and grows too old like any other (I32).
 */
import { RunEventKind, RunState, type Run, type RunEvent } from "@vigie/proto";
import { isTooOldToApprove } from "./approval.js";
import { planAgain } from "./plan-again.js";

/** @returns the row to go on with; undefined: a person must speak first */
export function recoveryRow(run: Run, wallUnixMs: number): Partial<RunEvent> | undefined {
  if (run.state === RunState.FROZEN) return undefined;
  if (run.plan !== undefined && isApprovedOnly(run.events) && isTooOldToApprove(run.plan, wallUnixMs))
    return {
      kind: RunEventKind.ABORT_ASKED,
      text: `it was approved, and nothing of it was begun for more than 15 minutes; plan it again: ${planAgain(run.plan)}`,
    };
  return { kind: RunEventKind.RECOVERED, text: "the orchestrator started again; the world is looked at" };
}

function isApprovedOnly(events: readonly RunEvent[]): boolean {
  const approved = events.some(({ kind }) => kind === RunEventKind.APPROVED);
  return approved && events.every(({ stepId }) => stepId === "");
}
