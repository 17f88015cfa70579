/** The table of runbooks, and which one a kind of incident asks for. */
import { IncidentKind } from "@vigie/proto";
import { resetStalledSync } from "./reset-stalled-sync.js";
import type { Runbook } from "./runbook.js";

export const RUNBOOKS: readonly Runbook[] = [resetStalledSync];

export const RUNBOOK_FOR: Readonly<Partial<Record<IncidentKind, string>>> = {
  [IncidentKind.STALLED_SYNC]: resetStalledSync.name,
};

export function runbookByName(name: string): Runbook | undefined {
  return RUNBOOKS.find((runbook) => runbook.name === name);
}
