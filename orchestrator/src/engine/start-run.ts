/** Puts a planned run on disk and into the executor's hands; approved at once, or waiting for a person. */
import { RunEvent, RunEventKind, type Clock, type Run } from "@vigie/proto";
import type { Change } from "../store/store.js";
import type { Executor } from "./executor.js";

export interface StartParts {
  readonly clock: Clock;
  readonly executor: Executor;
  readonly record: (changes: readonly Change[]) => Promise<void>;
}

export async function startRun(
  parts: StartParts,
  run: Run,
  plannedBy: string,
  approvedBy: string | undefined,
): Promise<Run> {
  const unixMs = parts.clock.wallUnixMs();
  const { plan } = run;
  const text = `${plan?.runbook} for ${plan?.end?.instance} disk/${plan?.end?.diskIndex}, plan ${plan?.hash.slice(0, 12)}`;
  const planned = RunEvent.create({
    sequence: 1,
    unixMs,
    kind: RunEventKind.PLANNED,
    actor: plannedBy,
    text,
  });
  const started: Run = { ...run, events: [planned] };
  const change = { runId: run.id, runbook: plan?.runbook ?? "", state: started.state, event: planned };
  await parts.record([
    { record: "run", run: started },
    { record: "run-event", runId: run.id, event: planned },
    { record: "watch", unixMs, event: { $case: "run", value: change } },
    {
      record: "audit",
      audit: {
        unixMs,
        actor: plannedBy,
        action: "run.planned",
        subject: run.id,
        detail: { text, steps: plan?.steps.map((s) => s.manualCommands) },
      },
    },
  ]);
  parts.executor.drive(started);
  if (approvedBy === undefined) return started;
  return parts.executor.append(run.id, {
    kind: RunEventKind.APPROVED,
    actor: approvedBy,
    text: `plan ${plan?.hash}`,
  });
}
