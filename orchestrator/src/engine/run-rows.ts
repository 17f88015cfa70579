/**
 * One row of a run's log: how it changes the run, and everything that is written with it in one commit. Its audit record
 * stands by itself: what was done, by whose word and why, what the guard saw, and each command with its exit code.
 */
import { RunEvent, RunEventKind, type ActionResult, type Run } from "@vigie/proto";
import type { Change } from "../store/store.js";
import { ENGINE, runState } from "./run-log.js";

export function withRow(run: Run, row: Partial<RunEvent>, unixMs: number): { run: Run; event: RunEvent } {
  const event = RunEvent.create({ actor: ENGINE, ...row, sequence: run.events.length + 1, unixMs });
  const events = [...run.events, event];
  const approvedBy = event.kind === RunEventKind.APPROVED ? event.actor : run.approvedBy;
  return { run: { ...run, events, approvedBy, state: runState(events) }, event };
}

export function rowChanges(run: Run, event: RunEvent): Change[] {
  const detail = {
    runbook: run.plan?.runbook ?? "",
    incident: run.plan?.incidentId ?? "",
    approvedBy: run.approvedBy,
    step: event.stepId,
    attempt: event.attempt,
    text: event.text,
    ...resultDetail(event.result),
  };
  const action = `run.${event.kind.replace("RUN_EVENT_KIND_", "").toLowerCase().replaceAll("_", "-")}`;
  const change = { runId: run.id, runbook: run.plan?.runbook ?? "", state: run.state, event };
  return [
    { record: "run-event", runId: run.id, event },
    { record: "run", run },
    { record: "audit", audit: { unixMs: event.unixMs, actor: event.actor, action, subject: run.id, detail } },
    { record: "watch", event: { $case: "run", value: change }, unixMs: event.unixMs },
  ];
}

function resultDetail(result: ActionResult | undefined): object {
  if (result === undefined) return {};
  return {
    outcome: result.outcome,
    code: result.code,
    guard: result.guard,
    commands: result.commands,
    replayed: result.replayed,
  };
}
