/** The lab's troubles. `npm run lab -- break NAME` and the tests find them here. */
import { diskOffline } from "./disk-offline.js";
import { diskless } from "./diskless.js";
import { failingDisk } from "./failing-disk.js";
import { finishedAndNeverLeft } from "./finished-and-never-left.js";
import { frozenDisk } from "./frozen-disk.js";
import { ganetiDown } from "./ganeti-down.js";
import { heldOpen } from "./held-open.js";
import { kpartxLeft } from "./kpartx-left.js";
import { networkCut } from "./network-cut.js";
import { powerCut } from "./power-cut.js";
import { slowSync } from "./slow-sync.js";
import { splitBrain } from "./split-brain.js";
import { stalledSync } from "./stalled-sync.js";
import { stalledSyncPort } from "./stalled-sync-port.js";
import { stalledSyncs } from "./stalled-syncs.js";
import { standalone } from "./standalone.js";
import { stuckMigration } from "./stuck-migration.js";
import { LabProblem } from "../host/problem.js";
import type { Trouble } from "./trouble.js";

export const troubles: readonly Trouble[] = [
  stalledSync,
  stalledSyncs,
  stalledSyncPort,
  finishedAndNeverLeft,
  slowSync,
  standalone,
  splitBrain,
  frozenDisk,
  failingDisk,
  diskOffline,
  diskless,
  powerCut,
  heldOpen,
  kpartxLeft,
  networkCut,
  ganetiDown,
  stuckMigration,
];

export function troubleNamed(name: string): Trouble {
  const found = troubles.find((trouble) => trouble.name === name);
  if (found === undefined)
    throw new LabProblem(`no trouble "${name}"`, `name one of ${troubles.map((t) => t.name).join(", ")}`);
  return found;
}
