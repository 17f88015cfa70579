/**
 * How a run is taken up after the orchestrator was away, or did not lead. It goes on where its log ends, by looking; but
 * an approval that nothing followed is for a world of then, and grows too old like any other (I32). A run that was left
 * alone in its middle for longer than an approval is good for does not go on unasked: people have acted meanwhile. What
 * it waits for is still watched.
 */
import { RunEventKind, RunState, type Run, type RunEvent } from "@vigie/proto";
import { isTooOldToApprove } from "./approval.js";
import { planAgain } from "./plan-again.js";
import { isUntouched, toTakeBack, undosOf } from "./run-log.js";
import { mannerOf } from "./action-facts.js";

const CLOCK_MS = 60_000; // clocks are corrected by less all the time
const AT_WORK: ReadonlySet<RunState> = new Set([RunState.RUNNING, RunState.WAITING]);

/**
 * @param leftUnixMs when the orchestrator that had it last gave a sign of life; 0: not known
 * @returns the row to go on with; undefined: a person must speak first
 */
export function recoveryRow(run: Run, leftUnixMs: number, wallUnixMs: number): Partial<RunEvent> | undefined {
  if (run.state === RunState.FROZEN || run.plan === undefined) return undefined;
  const awayMs = wallUnixMs - Math.max(leftUnixMs, run.events.at(-1)?.unixMs ?? 0);
  return (
    leftAlone(run, awayMs, wallUnixMs, "started again") ?? {
      kind: RunEventKind.RECOVERED,
      text: "the orchestrator started again; the world is looked at",
    }
  );
}

/** @returns the row that stops it until a person speaks; undefined: it may go on */
export function leftAlone(
  { plan, events, state }: Run,
  awayMs: number,
  wallUnixMs: number,
  since: "started again" | "leads again",
): Partial<RunEvent> | undefined {
  if (plan === undefined) return undefined;
  const approved = events.some(({ kind }) => kind === RunEventKind.APPROVED);
  if (approved && isUntouched(plan, events) && isTooOldToApprove(plan, wallUnixMs))
    return {
      kind: RunEventKind.ABORT_ASKED,
      text: `it was approved, and nothing of it was begun for more than 15 minutes; plan it again: ${planAgain(plan)}`,
    };
  const isKnown = awayMs > -CLOCK_MS; // else the wall clock was set back: it may have been for days
  if (isKnown && !isTooOldToApprove({ plannedUnixMs: wallUnixMs - awayMs }, wallUnixMs)) return undefined;
  const minutes = Math.round(awayMs / 60_000);
  if (AT_WORK.has(state))
    return {
      kind: RunEventKind.PAUSE_ASKED,
      text: `the orchestrator ${since}, and nothing of this run was done for ${isKnown ? `${minutes} min` : "a time that is not known, for the clock was set back"}: look at it, then resume or abort it`,
    };
  const [left] = undosOf(plan, toTakeBack(plan, events)).filter((undo) => !mannerOf(undo).takesBack);
  if (state === RunState.UNDOING && left !== undefined)
    return {
      kind: RunEventKind.FROZEN,
      stepId: left.id,
      text: `the orchestrator ${since}, and nothing of this undo was done for ${isKnown ? `${minutes} min` : "a time that is not known"}: look at it, then retry, or take it over`,
    };
  return undefined;
}

/** Another orchestrator led, and knew nothing of what this run holds: it may have begun anything on the same things. */
export function anotherLed({ plan, state }: Run, alone: boolean): Partial<RunEvent> | undefined {
  if (alone || plan?.destructive !== true || !AT_WORK.has(state)) return undefined;
  return {
    kind: RunEventKind.PAUSE_ASKED,
    text: "another orchestrator led meanwhile, and knew nothing of this run: look at it, then resume or abort it",
  };
}
