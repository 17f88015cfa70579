/** `vigie locks`: one line a name. A frozen run's does not lapse. */
import type { ListLocksResponse, Lock } from "@vigie/proto";
import { duration, since } from "../../wording/format.js";
import type { Screen } from "./screen.js";
import { table, type Column } from "./table.js";

export function renderLocks({ locks }: ListLocksResponse, screen: Screen): string {
  if (locks.length === 0) return "No locks: no run is at work.\n";
  const columns: Column<Lock>[] = [
    { heading: "LOCK", cell: (it) => it.name, cut: 1, least: 24 },
    { heading: "RUN", cell: (it) => it.runId },
    { heading: "APPROVED BY", cell: (it) => it.person || "-", leaveOut: 1 },
    { heading: "FOR", cell: (it) => since(it.sinceUnixMs, screen.now), right: true },
    { heading: "LAPSES", cell: (it) => lapseText(it, screen.now), right: true },
  ];
  return `${table(columns, locks, screen).join("\n")}\n`;
}

function lapseText({ expiresUnixMs }: Lock, now: number): string {
  if (expiresUnixMs === 0) return "never by itself";
  return expiresUnixMs <= now ? "lapsed" : `in ${duration(expiresUnixMs - now)}`;
}
