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
  const { from, to } = nodesOf(instance);
  if (nodeOf(world, to).offline) throw new JobFailed(`Target node ${to} is offline`);
  for (const node of [from, to]) mustAnswer(world, node);
  if (!nodeOf(world, from).guests.has(instance.name)) throw new JobFailed("Instance is not running");
  work.log("* checking disk consistency between source and target");
  for (const disk of instance.disks)
    if (!isWhole(disk))
      throw new JobFailed(`Disk ${disk.index} is degraded on target node, aborting migration`);
  work.log(`* switching node ${to} to secondary mode`);
  await reconnect(instance, work, "multi-master");
  work.log(`* migrating instance to ${to}`);
  await work.sleep(COPY_MS);
  for (const node of [from, to]) mustAnswer(world, node);
  if (!nodeOf(world, from).guests.has(instance.name)) throw new JobFailed("Instance is not running any more");
  nodeOf(world, from).guests.delete(instance.name);
  place(instance, to, work);
  setPrimary(world, instance, to);
  await work.sleep(CALL_MS);
  for (const disk of instance.disks) setRole(disk, from, Role.SECONDARY);
  await untilSynced(instance, work);
  await reconnect(instance, work, "single-master");
  work.log("* done");
}

/** It asks the nodes where the guest runs, and makes that its primary node. */
export async function cleanup(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  work.log(
    "* checking where the instance actually runs (if this hangs, the hypervisor might be in a bad state)",
  );
  const { from, to } = nodesOf(instance);
  const ends = instance.disks[0]?.ends.map(({ node }) => node) ?? [from, to];
  for (const node of ends) mustAnswer(world, node);
  const runsOn = ends.filter((node) => nodeOf(world, node).guests.has(instance.name));
  const [node, other] = runsOn;
  if (node === undefined) throw new JobFailed("Instance does not seem to be running on any node");
  if (other !== undefined) throw new JobFailed("Instance seems to be running on two nodes");
  await untilSynced(instance, work);
  setPrimary(world, instance, node);
  for (const disk of instance.disks) setRole(disk, nodesOf(instance).to, Role.SECONDARY);
  await work.sleep(CALL_MS);
  await reconnect(instance, work, "single-master");
  work.log("* done");
}

/** An offline primary node is not asked, and need not be whole (G#1162). */
export async function failover(instance: InstanceModel, work: JobWork): Promise<void> {
  const { world } = work;
  const { from, to } = nodesOf(instance);
  const source = nodeOf(world, from);
  const [degraded] = instance.disks.filter((disk) => !isWhole(disk));
  if (!source.offline && degraded !== undefined)
    throw new JobFailed(`Disk ${degraded.index} is degraded on target node, aborting failover`);
  work.log("* shutting down instance on source node");
  await work.sleep(CALL_MS);
  mustAnswer(world, to);
  if (!source.offline) {
    mustAnswer(world, from);
    source.guests.delete(instance.name);
    for (const disk of instance.disks) setRole(disk, from, Role.SECONDARY);
  }
  if (instance.disks.some((disk) => endAt(disk, to)?.disk !== DiskState.UP_TO_DATE))
    throw new JobFailed("Can't activate the instance's disks");
  setPrimary(world, instance, to);
  for (const disk of instance.disks) {
    const target = endAt(disk, to);
    if (target !== undefined) target.configured = true;
    setRole(disk, to, Role.PRIMARY);
  }
  await work.sleep(COPY_MS);
  mustAnswer(world, to);
  if (instance.adminState === "up") place(instance, to, work);
}

export function place({ name }: InstanceModel, node: string, { world, reasons }: JobWork): void {
  world.places(name, node, reasons);
  nodeOf(world, node).guests.add(name);
}

/** @throws JobFailed where it has no mirror: there is nowhere to go */
function nodesOf({ name, disks, primary }: InstanceModel): { readonly from: string; readonly to: string } {
  const [first] = disks;
  if (first === undefined) throw new JobFailed(`Instance '${name}' has no mirrored disks`);
  const to = first.ends.find(({ node }) => node !== primary)?.node;
  if (to === undefined) throw new JobFailed(`no disk on ${primary}`);
  return { from: primary, to };
}

/** Ganeti's calls fail where a node daemon does not answer, and the job with them. */
export function mustAnswer(world: World, node: string): void {
  if (!nodeOf(world, node).up) throw new JobFailed(`Can't contact node ${node}`);
}

function setRole(disk: DiskModel, node: string, role: Role): void {
  const end = endAt(disk, node);
  if (end !== undefined) end.role = role;
}

/** @returns the end of its primary node, and the other one */
export function endsOf(
  { primary }: InstanceModel,
  disk: DiskModel,
): { readonly source: DrbdEndModel; readonly target: DrbdEndModel } {
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

/** No limit, and at 100 % not a word (instance_migration.py, _WaitUntilSync). @param disks all, unless some are named */
export async function untilSynced(
  instance: InstanceModel,
  { world, log, sleep }: JobWork,
  disks = instance.disks,
): Promise<void> {
  log("* wait until resync is done");
  while (!disks.every(isWhole)) {
    mustAnswer(world, instance.primary);
    const percent = Math.min(
      ...disks.map((disk) => 100 * (1 - disk.outOfSyncKib / Math.max(1, disk.resyncTotalKib))),
    );
    if (percent < 100) log(`   - progress: ${percent.toFixed(1)}%`);
    await sleep(SYNC_POLL_MS);
  }
}

async function reconnect(
  instance: InstanceModel,
  work: JobWork,
  mode: "multi-master" | "single-master",
): Promise<void> {
  const ends = instance.disks.flatMap((disk) => disk.ends.map((end) => ({ disk, end })));
  work.log("* changing into standalone mode");
  for (const each of ends) leave(each);
  await work.sleep(CALL_MS);
  for (const { end } of ends) mustAnswer(work.world, end.node);
  work.log(`* changing disks into ${mode} mode`);
  for (const { end } of ends) end.connection = ConnectionState.WF_CONNECTION;
  await attachNet(instance.disks, work, mode);
  if (mode === "multi-master") for (const { end } of ends) end.role = Role.PRIMARY;
  await untilSynced(instance, work);
}

/** Both are made Primary only where both are whole (backend.py, DrbdAttachNet). */
async function attachNet(disks: readonly DiskModel[], { sleep }: JobWork, mode: string): Promise<void> {
  const attached = (disk: DiskModel): boolean =>
    mode === "multi-master"
      ? isWhole(disk)
      : disk.ends.every(({ connection }) => connection !== ConnectionState.WF_CONNECTION);
  for (let waitedMs = 0; !disks.every(attached); waitedMs += CALL_MS) {
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
