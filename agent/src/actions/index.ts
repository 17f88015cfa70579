/** The closed list of what this agent can do. What is not here cannot be asked for. */
import { VigieError } from "@vigie/proto";
import type { ActionDefinition, RequestedAction } from "./action.js";
import { adoptDisk } from "./adopt-disk.js";
import { continueWatcher } from "./continue-watcher.js";
import { cutDrbdLink } from "./cut-drbd-link.js";
import { deleteDisk } from "./delete-disk.js";
import { detachMinor } from "./detach-minor.js";
import { discardVictim } from "./discard-victim.js";
import { downMinor } from "./down-minor.js";
import { killMigrationJob } from "./kill-migration-job.js";
import { locateDisk } from "./locate-disk.js";
import { pauseWatcher } from "./pause-watcher.js";
import { readdNode } from "./readd-node.js";
import { rebalance } from "./rebalance.js";
import { removeVolumeMaps } from "./remove-volume-maps.js";
import { restartGaneti } from "./restart-ganeti.js";
import { restoreDrbdLink } from "./restore-drbd-link.js";
import { setDiskOffline } from "./set-disk-offline.js";
import { snapshotVolume } from "./snapshot-volume.js";
import { submitGanetiJob } from "./submit-ganeti-job.js";
import { unmapPartitions } from "./unmap-partitions.js";

// Each definition takes the parameters of its own case; definitionOf hands it to those of the action's case only.
export const ACTIONS: Readonly<Record<RequestedAction["$case"], ActionDefinition<never>>> = {
  cutDrbdLink,
  restoreDrbdLink,
  submitGanetiJob,
  killMigrationJob,
  pauseWatcher,
  continueWatcher,
  readdNode,
  rebalance,
  restartGaneti,
  detachMinor,
  setDiskOffline,
  removeVolumeMaps,
  deleteDisk,
  locateDisk,
  adoptDisk,
  unmapPartitions,
  downMinor,
  snapshotVolume,
  discardVictim,
};

/** @throws VigieError INVALID_ARGUMENT for a kind of action that is newer than this agent */
export function definitionOf(action: RequestedAction): ActionDefinition<RequestedAction["value"]> {
  if (!Object.hasOwn(ACTIONS, action.$case))
    throw new VigieError("INVALID_ARGUMENT", `this agent cannot ${action.$case}`);
  return ACTIONS[action.$case] as ActionDefinition<RequestedAction["value"]>;
}
