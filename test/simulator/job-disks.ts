/** Jobs that make a copy anew, or attach and connect what is there. As instance_storage.py does them. */
import { ConnectionState, DiskState, Role } from "@vigie/proto";
import { leave } from "./drbd-commands.js";
import { createEnd, peerOf, startResync, type DiskModel, type DrbdEndModel } from "./drbd-model.js";
import { JobFailed, type JobWork } from "./ganeti-jobs.js";
import type { InstanceModel } from "./ganeti-model.js";
import { freeMinor } from "./instances.js";
import { changed, endsOf, mustAnswer, untilSynced } from "./job-moves.js";
import { freeBytes, hasVolume, META_BYTES, removeVolume } from "./lvm-model.js";
import { makeVolumes, nodeOf, volumeNames, type World } from "./world.js";

const CALL_MS = 300;

export type Copy = "faulty" | "primary" | "secondary";

/** `replace-disks -a`, `-p`, `-s`: new volumes where the old ones were. @param indices of its disks; undefined: all */
export async function replaceHere(
  instance: InstanceModel,
  copy: Copy,
  indices: readonly number[] | undefined,
  work: JobWork,
): Promise<void> {
  const { world } = work;
  const copies = copiesOf(instance, copy, indices);
  if (copies.length === 0) return work.log("No disks need replacement for instance");
  const inactive = isInactive(instance);
  for (const { disk, end } of copies) {
    mustAnswer(world, end.node);
    if (!inactive && !end.configured)
      throw new JobFailed(
        `Can't find disk/${disk.index} on node ${end.node}: Please run activate-disks on instance first`,
      );
    if (copy !== "faulty" && peerOf(disk, end).disk !== DiskState.UP_TO_DATE)
      throw new JobFailed(`Node ${peerOf(disk, end).node} has degraded storage, unsafe to replace disks`);
    if (freeBytes(nodeOf(world, end.node), "kvmvg") === 0)
      throw new JobFailed(`Required volume group kvmvg not found on ${end.node}`);
  }
  work.log("STEP 3/6 Allocate new storage");
  await work.sleep(CALL_MS);
  for (const { disk, end } of copies) {
    world.drops(disk, end, work.reasons);
    renewVolumes(world, disk, end);
  }
  if (inactive) activate(instance);
  for (const { end } of copies) end.disk = DiskState.INCONSISTENT;
  work.log("STEP 5/6 Sync devices");
  for (const { disk, end } of copies) syncFrom(disk, peerOf(disk, end));
  const disks = copies.map(({ disk }) => disk);
  await untilSynced(instance, work, disks);
  if (inactive) deactivate(instance);
}

interface CopyModel {
  readonly disk: DiskModel;
  readonly end: DrbdEndModel;
}

function copiesOf(instance: InstanceModel, copy: Copy, indices: readonly number[] | undefined): CopyModel[] {
  const disks = instance.disks.filter(({ index }) => indices?.includes(index) ?? true);
  return disks.flatMap((disk) => {
    const { source, target } = endsOf(instance, disk);
    const faulty = ({ configured, disk: state }: DrbdEndModel): boolean =>
      configured && state === DiskState.DISKLESS;
    const end = copy === "faulty" ? [source, target].find(faulty) : copy === "primary" ? source : target;
    return end === undefined ? [] : [{ disk, end }];
  });
}

function renewVolumes(world: World, disk: DiskModel, end: DrbdEndModel): void {
  const node = nodeOf(world, end.node);
  const { data, meta } = volumeNames(disk);
  end.disk = DiskState.DISKLESS;
  for (const lvName of [data, meta]) removeVolume(node, "kvmvg", lvName);
  const why = makeVolumes(node, disk);
  if (why !== undefined) throw new JobFailed(why);
}

/** Nobody uses it: Ganeti activates the disks of a stopped instance for such a job, and deactivates them after it. */
function isInactive({ disks }: InstanceModel): boolean {
  return disks.every(({ ends }) => ends.every(({ configured }) => !configured));
}

function activate({ disks }: InstanceModel): void {
  for (const end of disks.flatMap(({ ends }) => ends)) {
    end.configured = true;
    end.role = Role.SECONDARY;
    end.connection = ConnectionState.CONNECTED;
  }
}

export function deactivate({ disks }: InstanceModel): void {
  for (const end of disks.flatMap(({ ends }) => ends)) {
    end.configured = false;
    end.role = Role.SECONDARY;
  }
}

function syncFrom(disk: DiskModel, source: DrbdEndModel): void {
  disk.outOfSyncKib = disk.sizeKib;
  const connected = disk.ends.every(({ connection }) => connection === ConnectionState.CONNECTED);
  if (connected) startResync(disk, disk.sizeKib, disk.ends[0] === source ? 0 : 1);
}

/** `replace-disks -n NODE`, `-I hail`: another node becomes the secondary. @param to empty: the allocator chooses */
export async function replaceSecondary(instance: InstanceModel, to: string, work: JobWork): Promise<void> {
  const { world } = work;
  const name = to === "" ? allocate(world, instance) : to;
  const node = nodeOf(world, name);
  const pairs = instance.disks.map((disk) => ({ disk, ...endsOf(instance, disk) }));
  if (pairs.length === 0) throw new JobFailed(`Instance '${instance.name}' has no mirrored disks`);
  if (node.offline || node.drained) throw new JobFailed(`Node ${name} is offline or drained`);
  for (const used of [name, instance.primary]) mustAnswer(world, used);
  if (pairs.some(({ disk }) => disk.ends.some((end) => end.node === name)))
    throw new JobFailed(`The specified node ${name} is already in use by the instance`);
  if (pairs.some(({ source }) => source.disk !== DiskState.UP_TO_DATE))
    throw new JobFailed("Node has degraded storage, unsafe to replace");
  const inactive = isInactive(instance);
  work.log(`Selected new secondary for instance '${instance.name}': ${name}`);
  await work.sleep(CALL_MS);
  mustAnswer(world, name);
  for (const { disk } of pairs) {
    const why = makeVolumes(node, disk);
    if (why !== undefined) throw new JobFailed(why);
  }
  for (const pair of pairs) {
    // Ganeti looks once, and the source may fail a moment later: then the old volumes stay, for the sync never ends.
    if (pair.source.disk === DiskState.UP_TO_DATE) world.drops(pair.disk, pair.target, work.reasons);
    toNewSecondary(world, name, pair);
  }
  if (inactive) activate(instance);
  for (const { disk } of inactive ? pairs : [])
    for (const end of disk.ends) end.connection = ConnectionState.WF_CONNECTION;
  changed(world.ganeti, instance);
  await work.sleep(CALL_MS);
  await untilSynced(instance, work);
  for (const { disk, target } of pairs) removeOld(world, disk, target.node, work);
  if (inactive) deactivate(instance);
}

interface Pair {
  readonly disk: DiskModel;
  readonly source: DrbdEndModel;
  readonly target: DrbdEndModel;
}

function toNewSecondary(world: World, name: string, { disk, source, target }: Pair): void {
  if (target.configured) leave({ disk, end: target });
  target.configured = false;
  const fresh = createEnd(name, freeMinor(world, name), Role.SECONDARY);
  fresh.disk = DiskState.INCONSISTENT;
  for (const end of [source, fresh]) end.connection = ConnectionState.WF_CONNECTION;
  disk.ends = disk.ends[0] === source ? [source, fresh] : [fresh, source];
  disk.outOfSyncKib = disk.sizeKib;
}

/** hail: the node with most room, among those of the same group that may. */
function allocate(world: World, { disks, primary }: InstanceModel): string {
  const { group } = nodeOf(world, primary);
  const used = new Set(disks.flatMap(({ ends }) => ends.map(({ node }) => node)));
  const others = [...world.nodes.values()].filter(
    (node) => node.group === group && !node.offline && !node.drained && !used.has(node.name),
  );
  const needed = disks.reduce((sum, { sizeKib }) => sum + sizeKib * 1024 + META_BYTES, 0);
  const [best] = others
    .filter((node) => freeBytes(node, "kvmvg") >= needed)
    .toSorted((a, b) => freeBytes(b, "kvmvg") - freeBytes(a, "kvmvg"));
  if (best === undefined) throw new JobFailed("Can't compute nodes using iallocator 'hail': no valid node");
  return best.name;
}

function removeOld(world: World, disk: DiskModel, name: string, work: JobWork): void {
  const node = nodeOf(world, name);
  if (node.offline || !node.up) return work.log(`Warning: Can't remove old storage on ${name}`);
  const { data, meta } = volumeNames(disk);
  for (const lvName of [data, meta]) removeVolume(node, "kvmvg", lvName);
}

/** `activate-disks`: attaches and connects what is there, and waits for nothing. */
export async function activateDisks(instance: InstanceModel, work: JobWork): Promise<void> {
  await work.sleep(CALL_MS);
  for (const disk of instance.disks) {
    const { source, target } = endsOf(instance, disk);
    for (const end of [target, source]) assemble(work.world, disk, end);
    source.role = Role.PRIMARY;
    work.log(`${source.node}:disk/${disk.index}:/dev/drbd${source.minor}`);
  }
}

function assemble(world: World, disk: DiskModel, end: DrbdEndModel): void {
  const node = nodeOf(world, end.node);
  if (node.offline) return;
  mustAnswer(world, end.node);
  const there = hasVolume(node, "kvmvg", volumeNames(disk).data);
  if (!end.configured) {
    if (!there) throw new JobFailed(`Can't find the volumes of disk/${disk.index} on ${end.node}`);
    end.configured = true;
    end.role = Role.SECONDARY;
    end.connection = ConnectionState.WF_CONNECTION;
  }
  if (end.disk === DiskState.DISKLESS && there) {
    end.disk = DiskState.INCONSISTENT;
    syncFrom(disk, peerOf(disk, end));
  }
  if (end.connection === ConnectionState.STAND_ALONE) end.connection = ConnectionState.WF_CONNECTION;
}
