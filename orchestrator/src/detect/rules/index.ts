/** The table of rules. Adding one is its file, its test and its line here. */
import type { Rule } from "../rule.js";
import { degraded } from "./degraded.js";
import { diskOffline } from "./disk-offline.js";
import { diskless } from "./diskless.js";
import { failingDisk } from "./failing-disk.js";
import { ganetiHeldUp } from "./ganeti-held-up.js";
import { guestDown, guestWrongNode } from "./guests.js";
import { heldDevice } from "./held-device.js";
import { hungMigration } from "./hung-migration.js";
import { leftoverKpartx } from "./leftover-kpartx.js";
import { linkUnstable } from "./link-unstable.js";
import { nodeDead } from "./node-dead.js";
import { nodeSilent } from "./node-silent.js";
import { nodeUnhealthy } from "./node-unhealthy.js";
import { resyncSlow } from "./resync-slow.js";
import { sourceDamaged } from "./source-damaged.js";
import { stalledSync } from "./stalled-sync.js";
import { splitBrain, standalone } from "./standalone.js";
import { twoPrimaries } from "./two-primaries.js";
import { missingVolume, orphanVolume } from "./volumes.js";

export const RULES: readonly Rule[] = [
  stalledSync,
  splitBrain,
  standalone,
  diskless,
  degraded,
  nodeSilent,
  diskOffline,
  sourceDamaged,
  failingDisk,
  hungMigration,
  heldDevice,
  leftoverKpartx,
  missingVolume,
  orphanVolume,
  nodeDead,
  resyncSlow,
  guestWrongNode,
  guestDown,
  twoPrimaries,
  linkUnstable,
  ganetiHeldUp,
  nodeUnhealthy,
];
