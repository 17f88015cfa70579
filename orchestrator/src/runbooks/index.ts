/** The table of runbooks, and which one a kind of incident asks for. */
import { IncidentKind, type Incident } from "@vigie/proto";
import { adoptDisk } from "./adopt-disk.js";
import { cleanupMigration } from "./cleanup-migration.js";
import { disableDeadNode } from "./disable-dead-node.js";
import { rebuildRedundancy } from "./rebuild-redundancy.js";
import { recoverStuckMigration } from "./recover-stuck-migration.js";
import { reinstateNode } from "./reinstate-node.js";
import { releaseHeldDevice } from "./release-held-device.js";
import { relocateSecondaries } from "./relocate-secondaries.js";
import { resetStalledSync } from "./reset-stalled-sync.js";
import { retireDisk } from "./retire-disk.js";
import { resolveSplitBrain } from "./resolve-split-brain.js";
import type { Runbook } from "./runbook.js";

export const RUNBOOKS: readonly Runbook[] = [
  resetStalledSync,
  recoverStuckMigration,
  retireDisk,
  adoptDisk,
  rebuildRedundancy,
  releaseHeldDevice,
  resolveSplitBrain,
  cleanupMigration,
  relocateSecondaries,
  disableDeadNode,
  reinstateNode,
];

export const RUNBOOK_FOR: Readonly<Partial<Record<IncidentKind, string>>> = {
  [IncidentKind.STALLED_SYNC]: resetStalledSync.name,
  [IncidentKind.HUNG_MIGRATION]: recoverStuckMigration.name,
  [IncidentKind.FAILING_DISK]: retireDisk.name,
  [IncidentKind.DISK_OFFLINE]: retireDisk.name,
  [IncidentKind.DISKLESS]: rebuildRedundancy.name,
  [IncidentKind.DEGRADED]: rebuildRedundancy.name,
  [IncidentKind.STANDALONE]: rebuildRedundancy.name, // or it names what is: a person's decision
  [IncidentKind.TWO_PRIMARIES]: cleanupMigration.name,
  [IncidentKind.GUEST_WRONG_NODE]: cleanupMigration.name,
  [IncidentKind.HELD_DEVICE]: releaseHeldDevice.name,
  [IncidentKind.LEFTOVER_KPARTX]: releaseHeldDevice.name,
  [IncidentKind.SPLIT_BRAIN]: resolveSplitBrain.name,
  [IncidentKind.NODE_DEAD]: disableDeadNode.name,
  [IncidentKind.MISSING_VOLUME]: rebuildRedundancy.name,
};

/** With a key of its own their finding is another trouble, which no runbook mends: no copy is left, writes are gone. */
const ONLY_WITHOUT_KEY: ReadonlySet<IncidentKind> = new Set([
  IncidentKind.DEGRADED,
  IncidentKind.SPLIT_BRAIN,
]);

/** undefined: a person decides. */
export function runbookFor({ kind, findingKey }: Pick<Incident, "kind" | "findingKey">): Runbook | undefined {
  if (ONLY_WITHOUT_KEY.has(kind) && findingKey !== "") return undefined;
  return runbookByName(RUNBOOK_FOR[kind] ?? "");
}

export function runbookByName(name: string): Runbook | undefined {
  return RUNBOOKS.find((runbook) => runbook.name === name);
}
