/** Jobs that move a guest: migrate, its cleanup, failover. As instance_migration.py does them. */
import { ConnectionState, DiskState, Role } from "@vigie/proto";
import { leave } from "./drbd-commands.js";
import { endAt, peerOf, type DiskModel, type DrbdEndModel } from "./drbd-model.js";
import { JobFailed, type JobWork } from "./ganeti-jobs.js";
import type { InstanceModel } from "./ganeti-model.js";
import { nodeOf, type World } from "./world.js";

const CALL_MS = 300; // one call to a node daemon
const COPY_MS = 3_000; // of the guest's memory
const SYNC_POLL_MS = 2_000;
const ATTACH_MS = 120_000;

export async function migrate(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  const { source, target } = endsOf(instance);
  if (nodeOf(world, target.node).offline) throw new JobFailed(`Target node ${target.node} is offline`);
  if (!nodeOf(world, source.node).guests.has(instance.name)) throw new JobFailed("Instance is not running");
  work.log("* checking disk consistency between source and target");
  if (!isWhole(instance.disk)) throw new JobFailed("Disk 0 is degraded on target node, aborting migration");
  work.log(`* switching node ${target.node} to secondary mode`);
  await reconnect(instance.disk, work, "multi-master");
  work.log(`* migrating instance to ${target.node}`);
  await work.sleep(COPY_MS);
  nodeOf(world, source.node).guests.delete(instance.name);
  nodeOf(world, target.node).guests.add(instance.name);
  setPrimary(world, instance, target.node);
  await work.sleep(CALL_MS);
  source.role = Role.SECONDARY;
  await untilSynced(instance.disk, work);
  await reconnect(instance.disk, work, "single-master");
  work.log("* done");
}

/** It asks the nodes where the guest runs, and makes that its primary node. */
export async function cleanup(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  work.log(
    "* checking where the instance actually runs (if this hangs, the hypervisor might be in a bad state)",
  );
  const runsOn = instance.disk.ends
    .map(({ node }) => node)
    .filter((node) => nodeOf(world, node).guests.has(instance.name));
  const [node, other] = runsOn;
  if (node === undefined) throw new JobFailed("Instance does not seem to be running on any node");
  if (other !== undefined) throw new JobFailed("Instance seems to be running on two nodes");
  await untilSynced(instance.disk, work);
  setPrimary(world, instance, node);
  const { target } = endsOf(instance);
  target.role = Role.SECONDARY;
  await work.sleep(CALL_MS);
  await reconnect(instance.disk, work, "single-master");
  work.log("* done");
}

/** An offline primary node is not asked, and need not be whole (G#1162). */
export async function failover(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  const { source, target } = endsOf(instance);
  const from = nodeOf(world, source.node);
  if (!from.offline && !isWhole(instance.disk))
    throw new JobFailed("Disk 0 is degraded on target node, aborting failover");
  work.log("* shutting down instance on source node");
  await work.sleep(CALL_MS);
  if (!from.offline) {
    from.guests.delete(instance.name);
    source.role = Role.SECONDARY;
  }
  if (target.disk !== DiskState.UP_TO_DATE) throw new JobFailed("Can't activate the instance's disks");
  setPrimary(world, instance, target.node);
  target.configured = true;
  target.role = Role.PRIMARY;
  await work.sleep(COPY_MS);
  if (instance.adminState === "up") nodeOf(world, target.node).guests.add(instance.name);
}

/** @returns the end of its primary node, and the other one */
export function endsOf({ disk, primary }: InstanceModel): {
  readonly source: DrbdEndModel;
  readonly target: DrbdEndModel;
} {
  const source = endAt(disk, primary);
  if (source === undefined) throw new JobFailed(`no disk on ${primary}`);
  return { source, target: peerOf(disk, source) };
}

export function isWhole(disk: DiskModel): boolean {
  const [a, b] = disk.ends;
  return (
    disk.outOfSyncKib === 0 &&
    [a, b].every((end) => end.connection === ConnectionState.CONNECTED && end.disk === DiskState.UP_TO_DATE)
  );
}

/** No limit, and at 100 % not a word (instance_migration.py, _WaitUntilSync). */
export async function untilSynced(disk: DiskModel, { log, sleep }: JobWork): Promise<void> {
  log("* wait until resync is done");
  while (!isWhole(disk)) {
    const percent = 100 * (1 - disk.outOfSyncKib / Math.max(1, disk.resyncTotalKib));
    if (percent < 100) log(`   - progress: ${percent.toFixed(1)}%`);
    await sleep(SYNC_POLL_MS);
  }
}

async function reconnect(
  disk: DiskModel,
  work: JobWork,
  mode: "multi-master" | "single-master",
): Promise<void> {
  work.log("* changing into standalone mode");
  for (const end of disk.ends) leave({ disk, end });
  await work.sleep(CALL_MS);
  work.log(`* changing disks into ${mode} mode`);
  for (const end of disk.ends) end.connection = ConnectionState.WF_CONNECTION;
  await attachNet(disk, work, mode);
  if (mode === "multi-master") for (const end of disk.ends) end.role = Role.PRIMARY;
  await untilSynced(disk, work);
}

/** Both are made Primary only where both are whole (backend.py, DrbdAttachNet). */
async function attachNet(disk: DiskModel, { sleep }: JobWork, mode: string): Promise<void> {
  const attached = (): boolean =>
    mode === "multi-master"
      ? isWhole(disk)
      : disk.ends.every(({ connection }) => connection !== ConnectionState.WF_CONNECTION);
  for (let waitedMs = 0; !attached(); waitedMs += CALL_MS) {
    if (waitedMs > ATTACH_MS) throw new JobFailed("Cannot change network configuration: timeout");
    await sleep(CALL_MS);
  }
}

export function setPrimary({ ganeti }: World, instance: InstanceModel, node: string): void {
  if (instance.primary === node) return;
  instance.primary = node;
  changed(ganeti, instance);
}

export function changed(ganeti: World["ganeti"], of: { serial: number }): void {
  of.serial += 1;
  ganeti.configSerial += 1;
}
