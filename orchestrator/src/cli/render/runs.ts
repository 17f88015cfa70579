/** `vigie runs`: newest first, one line each. */
import type { ListRunsResponse, Run } from "@vigie/proto";
import { dateTime } from "../../wording/format.js";
import { runStatePaint } from "./paints.js";
import type { Screen } from "./screen.js";
import { table, type Column } from "./table.js";
import { word } from "../../wording/words.js";

export function renderRuns(response: ListRunsResponse, screen: Screen): string {
  if (response.runs.length === 0) return "No runs.\n";
  const columns: Column<Run>[] = [
    { heading: "RUN", cell: (it) => it.id },
    { heading: "STATE", cell: (it) => word(it.state), paint: (it) => runStatePaint(it.state, screen) },
    { heading: "RUNBOOK", cell: (it) => it.plan?.runbook ?? "?", cut: 2, least: 18 },
    { heading: "FOR", cell: (it) => it.plan?.subject || "?", cut: 1, least: 18 },
    { heading: "INCIDENT", cell: (it) => it.plan?.incidentId || "-", leaveOut: 2 },
    { heading: "APPROVED BY", cell: (it) => it.approvedBy || "-", leaveOut: 1 },
    { heading: "PLANNED", cell: (it) => dateTime(it.plan?.plannedUnixMs ?? 0, screen.timeZone), leaveOut: 3 },
  ];
  return `${table(columns, response.runs, screen).join("\n")}\n`;
}
