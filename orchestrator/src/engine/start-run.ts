/** Puts a planned run on disk and into the executor's hands; approved at once, or waiting for a person. */
import { RunEventKind, RunState, type Clock, type Plan, type Run } from "@vigie/proto";
import type { Change } from "../store/store.js";
import type { Executor } from "./executor.js";
import { rowChanges, withRow } from "./run-rows.js";

export interface StartParts {
  readonly clock: Clock;
  readonly executor: Executor;
  readonly record: (changes: readonly Change[]) => Promise<void>;
}

/**
 * @param approvedBy undefined: a person will
 * @param alongside written in the same commit: an incident never waits for a run that was not kept
 */
export async function startRun(
  parts: StartParts,
  run: Run,
  plannedBy: string,
  approvedBy: string | undefined,
  alongside: readonly Change[] = [],
): Promise<Run> {
  const unixMs = parts.clock.wallUnixMs();
  const { plan } = run;
  const text = `${plan?.runbook} for ${plan?.subject}, plan ${plan?.hash.slice(0, 12)}`;
  const planned = withRow(run, { kind: RunEventKind.PLANNED, actor: plannedBy, text }, unixMs);
  const changes = [...alongside, ...rowChanges(planned.run, planned.event)];
  let started = planned.run;
  if (approvedBy !== undefined) {
    const row = { kind: RunEventKind.APPROVED, actor: approvedBy, text: `plan ${plan?.hash.slice(0, 12)}` };
    const approved = withRow(started, row, unixMs);
    changes.push(...rowChanges(approved.run, approved.event));
    started = approved.run;
  }
  const letGo = parts.executor.hold(started); // before it is on disk: nobody else may begin there meanwhile (I9)
  try {
    await parts.record(changes);
  } catch (error) {
    letGo();
    throw error;
  }
  parts.executor.drive(started);
  return started;
}

/** A plan that nobody has approved yet. */
export function newRun(id: string, plan: Plan, state = RunState.AWAITING_APPROVAL): Run {
  return { id, plan, state, events: [], approvedBy: "", progress: undefined };
}
