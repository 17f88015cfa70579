/** What the rows of every run told, by each orchestrator that lived; they are on disk before they are told. */
import type { Orchestrator } from "@vigie/orchestrator";
import { Plan, RunEventKind, type Run, type RunEvent } from "@vigie/proto";

export interface Runs {
  readonly follow: (orchestrator: Orchestrator) => void;
  readonly planned: (run: Run) => void;
  readonly plan: (runId: string) => Plan | undefined;
  readonly rows: (runId: string) => readonly RunEvent[];
  readonly isOver: (runId: string) => boolean;
}

export function createRuns(heard: (runId: string, row: RunEvent) => void): Runs {
  const plans = new Map<string, Plan>();
  const rows = new Map<string, RunEvent[]>();
  return {
    follow: (orchestrator) =>
      void orchestrator.subscribe(({ event }) => {
        if (event?.$case !== "run" || event.value.event === undefined) return;
        const { runId, event: row } = event.value;
        rows.set(runId, [...(rows.get(runId) ?? []), row]);
        heard(runId, row);
      }),
    planned: ({ id, plan }) => {
      if (plan !== undefined) plans.set(id, Plan.decode(Plan.encode(plan).finish())); // as it was then
    },
    plan: (runId) => plans.get(runId),
    rows: (runId) => rows.get(runId) ?? [],
    isOver: (runId) => rows.get(runId)?.some(({ kind }) => kind === RunEventKind.ENDED) ?? false,
  };
}
