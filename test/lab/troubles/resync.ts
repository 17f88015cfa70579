/**
 * Starts a resync that lasts long enough to be caught: the Primary writes while it is disconnected, and
 * the rate is low. One script on the Primary, because between the first block and the last there may be
 * less than the time of a call over ssh.
 */
import type { InstanceDisk } from "../cluster/configuration.js";
import { connectArguments, connectionName, waitForMinor } from "../cluster/drbd.js";
import { activateDisks } from "../cluster/instance.js";
import type { Lab } from "../lab.js";

export interface ResyncOptions {
  readonly rateKib: number; // per second
  /** Bash that runs on the Primary as soon as its state is SyncSource. $peer, $port and $minor are set. */
  readonly onceSyncing?: string;
  /** Further options of `drbdsetup connect`. */
  readonly net?: string;
}

const SCRIPT_TIMEOUT_MS = 90_000;

/** Without it DRBD gives a blocked connection up by itself: 7 times 6 s after the send buffer is full. */
export const NEVER_GIVE_UP = "--ko-count=0";

/** What Ganeti sets on each disk (resync-rate in KiB/s, no dynamic control). */
const STANDARD_RATE = "--resync-rate=61440k --c-plan-ahead=0";

/** @returns what the script's `onceSyncing` printed */
export async function startResync(lab: Lab, disk: InstanceDisk, options: ResyncOptions): Promise<string> {
  await ensurePrimary(lab, disk);
  const { primary, secondary } = disk;
  const connect = await connectArguments(lab, disk, primary, options.net);
  const script = `
set -e
minor=${String(primary.minor)} port=${String(disk.port)} peer=${secondary.ip}
drbdsetup disk-options $minor --resync-rate=${String(options.rateKib)}k --c-plan-ahead=0
drbdsetup disconnect ${connectionName(disk, primary)}
dd if=/dev/urandom of=${primary.device} bs=1M count=${String(writtenMib(disk))} oflag=direct conv=notrunc status=none
drbdsetup connect ${connect}
tries=0
until grep -q "^ *$minor: cs:SyncSource" /proc/drbd; do
  tries=$((tries + 1))
  [ $tries -lt 5000 ] || { echo "no resync began:"; cat /proc/drbd; exit 1; } >&2
done
${options.onceSyncing ?? ""}`;
  return (await lab.node(primary.node).script(script, [], { timeoutMs: SCRIPT_TIMEOUT_MS })).stdout;
}

/** Ganeti's own rate and DRBD's own patience again, on an end that is connected or not. */
export async function standardResync(lab: Lab, disk: InstanceDisk): Promise<void> {
  for (const side of [disk.primary, disk.secondary]) {
    if (!lab.node(side.node).isPowered()) continue;
    const rate = `drbdsetup disk-options ${String(side.minor)} ${STANDARD_RATE}`;
    const patience = `drbdsetup net-options ${connectionName(disk, side)} --ko-count=7`;
    await lab.node(side.node).run(`${rate}; ${patience}`, { allowFailure: true });
  }
}

/** Most of a small disk, at most 40 MiB: the rest shows that a resync copies only what differs. */
function writtenMib(disk: InstanceDisk): number {
  return Math.min(40, Math.floor(disk.sizeMib * 0.6));
}

async function ensurePrimary(lab: Lab, disk: InstanceDisk): Promise<void> {
  const state = `awk '$1 == "${String(disk.primary.minor)}:"' /proc/drbd`;
  const { stdout } = await lab.node(disk.primary.node).run(state);
  if (!/cs:Connected ro:Primary\/Secondary/.test(stdout)) await activateDisks(lab, disk.instance);
  await waitForMinor(lab, disk.primary, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate");
}
