/** How long the condition of a step is waited for, each with its reason. */

/** A resync, a node or a person: hours or days. Nothing is held meanwhile but the run's locks. */
export const NO_LIMIT_MS = 0;

export const CUT_MS = 5_000;
export const RESTORE_MS = 10_000;
export const MOVING_MS = 45_000; // DRBD tries to connect every 10 s, then shakes hands
export const LINK_DOWN_MARGIN_MS = 3_000; // look for WFConnection no longer than the cut stands

/** `gnt-cluster watcher …` writes a file of the master's; it is read again every 2 s. */
export const WATCHER_MS = 15_000;
/** A job that only changes the configuration. It waits for its locks, and asks nodes that may answer late. */
export const FLAG_JOB_MS = 180_000;
/** 64 GiB of memory over 1 Gbit/s take ten minutes, and a busy guest writes to it meanwhile. */
export const MIGRATION_MS = 30 * 60_000;
/** Ganeti gives a guest two minutes to shut down, and starts it then. */
export const FAILOVER_MS = 10 * 60_000;
/** `kill` is noticed by the queue within a second; the job's process may be in a call to a node. */
export const JOB_END_MS = 30_000;
/** What was done is seen in the next readings, of Ganeti (2 s), of guests (10 s) and of DRBD (1 s). */
export const SETTLE_MS = 60_000;
/** `gnt-node add --readd` took 38 s in the lab. */
export const READD_MS = 5 * 60_000;
/** sysfs answers at once; it is read every second. */
export const DISK_STATE_MS = 10_000;
/** A detach writes its last bitmap, or fails to, and is seen by both ends. */
export const DETACH_MS = 30_000;
/** dmsetup is asked every 10 s, or when it is wanted. */
export const MAPS_MS = 30_000;
/** pvcreate and vgcreate read every disk of the node. */
export const VOLUME_GROUP_MS = 60_000;
/** `drbdsetup down` of a minor that nobody holds. */
export const DOWN_MS = 30_000;

/** Redundant for as long: DRBD's handshake after a reconnect passes through states that look whole. */
export const REDUNDANT_FOR_MS = 2_000;

/** Before one copy is given up both must have been whole for 10 s (I10); a migration makes the count begin anew. */
export const REDUNDANT_BEFORE_LOSS_MS = 11_000;

/** The watcher goes on by itself after this: longer than any part of a run that takes disks apart (I31). */
export const WATCHER_PAUSE_S = 4 * 3600;
/** `lvcreate --snapshot` waits for what is under way to be written. */
export const SNAPSHOT_MS = 60_000;
/** `drbdsetup secondary` waits for whoever closes the device; invalidate writes the whole bitmap. */
export const DISCARD_MS = 60_000;
