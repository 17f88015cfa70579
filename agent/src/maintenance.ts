/**
 * The cluster's planned maintenance, as this node remembers it: on disk, so that the orchestrator of the next master
 * learns of it. The agent itself does nothing with it: no guard and no action asks for it.
 */
import { VigieError, type MaintenanceList } from "@vigie/proto";
import type { Journal } from "./journal.js";
import { STOP_JUMP_MAX } from "./stop.js";

/** An older list than the one that is known changes nothing. @throws VigieError INVALID_ARGUMENT, JOURNAL_BROKEN */
export function rememberMaintenance(
  journal: Pick<Journal, "maintenance" | "append">,
  list: MaintenanceList,
  wallUnixMs: number,
): void {
  const known = journal.maintenance().number;
  if (list.number <= known) return;
  if (list.number - known > STOP_JUMP_MAX)
    throw new VigieError(
      "INVALID_ARGUMENT",
      `maintenance ${list.number} is beyond reason: the newest known is ${known}`,
    );
  journal.append({ kind: "maintenance", maintenance: list }, wallUnixMs);
}
