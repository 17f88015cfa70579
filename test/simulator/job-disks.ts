/** Jobs that make a copy anew, or attach and connect what is there. As instance_storage.py does them. */
import { ConnectionState, DiskState, Role } from "@vigie/proto";
import { leave } from "./drbd-commands.js";
import { createEnd, peerOf, startResync, type DiskModel, type DrbdEndModel } from "./drbd-model.js";
import { JobFailed, type JobWork } from "./ganeti-jobs.js";
import type { InstanceModel } from "./ganeti-model.js";
import { changed, endsOf, untilSynced } from "./job-moves.js";
import { freeBytes, hasVolume, META_BYTES, removeVolume } from "./lvm-model.js";
import { makeVolumes, nodeOf, volumeNames, type World } from "./world.js";

const CALL_MS = 300;

export type Copy = "faulty" | "primary" | "secondary";

/** `replace-disks -a`, `-p`, `-s`: new volumes where the old ones were. */
export async function replaceHere(instance: InstanceModel, copy: Copy, work: JobWork): Promise<void> {
  const { disk } = instance;
  const end = copyOf(instance, copy);
  if (end === undefined) return work.log("No disks need replacement for instance");
  const stopped = disk.ends.every(({ configured }) => !configured);
  if (!stopped && !end.configured)
    throw new JobFailed(`Can't find disk/0 on node ${end.node}: Please run activate-disks on instance first`);
  const node = nodeOf(work.world, end.node);
  if (freeBytes(node, "kvmvg") === 0)
    throw new JobFailed(`Required volume group kvmvg not found on ${end.node}`);
  work.log("STEP 3/6 Allocate new storage");
  await work.sleep(CALL_MS);
  const { data, meta } = volumeNames(disk);
  end.disk = DiskState.DISKLESS;
  for (const lvName of [data, meta]) removeVolume(node, "kvmvg", lvName);
  const why = makeVolumes(node, disk);
  if (why !== undefined) throw new JobFailed(why);
  if (stopped) activate(disk);
  end.disk = DiskState.INCONSISTENT;
  work.log("STEP 5/6 Sync devices");
  syncFrom(disk, peerOf(disk, end));
  await untilSynced(disk, work);
  if (stopped) for (const each of disk.ends) each.configured = false;
}

function copyOf(instance: InstanceModel, copy: Copy): DrbdEndModel | undefined {
  const { source, target } = endsOf(instance);
  if (copy === "faulty")
    return [source, target].find(({ configured, disk }) => configured && disk === DiskState.DISKLESS);
  return copy === "primary" ? source : target;
}

function activate(disk: DiskModel): void {
  for (const end of disk.ends) {
    end.configured = true;
    end.role = Role.SECONDARY;
    end.connection = ConnectionState.CONNECTED;
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
  const { disk } = instance;
  const { source, target } = endsOf(instance);
  const name = to === "" ? allocate(world, disk) : to;
  const node = nodeOf(world, name);
  if (node.offline || node.drained) throw new JobFailed(`Node ${name} is offline or drained`);
  if (source.disk !== DiskState.UP_TO_DATE)
    throw new JobFailed("Node has degraded storage, unsafe to replace");
  work.log(`Selected new secondary for instance '${instance.name}': ${name}`);
  await work.sleep(CALL_MS);
  const why = makeVolumes(node, disk);
  if (why !== undefined) throw new JobFailed(why);
  if (target.configured) leave({ disk, end: target });
  target.configured = false;
  const fresh = createEnd(name, freeMinor(world, name), Role.SECONDARY);
  fresh.disk = DiskState.INCONSISTENT;
  for (const end of [source, fresh]) end.connection = ConnectionState.WF_CONNECTION;
  disk.ends = disk.ends[0] === source ? [source, fresh] : [fresh, source];
  disk.outOfSyncKib = disk.sizeKib;
  changed(world.ganeti, instance);
  await work.sleep(CALL_MS);
  await untilSynced(disk, work);
  removeOld(world, disk, target.node, work);
}

/** hail: the node with most room, among those that may. */
function allocate(world: World, disk: DiskModel): string {
  const others = [...world.nodes.values()].filter(
    (node) => !node.offline && !node.drained && disk.ends.every((end) => end.node !== node.name),
  );
  const needed = disk.sizeKib * 1024 + META_BYTES;
  const [best] = others
    .filter((node) => freeBytes(node, "kvmvg") >= needed)
    .toSorted((a, b) => freeBytes(b, "kvmvg") - freeBytes(a, "kvmvg"));
  if (best === undefined) throw new JobFailed("Can't compute nodes using iallocator 'hail': no valid node");
  return best.name;
}

function freeMinor(world: World, node: string): number {
  const taken = new Set(
    world.disks.flatMap(({ ends }) => ends.filter((end) => end.node === node).map((end) => end.minor)),
  );
  let minor = 0;
  while (taken.has(minor)) minor += 1;
  return minor;
}

function removeOld(world: World, disk: DiskModel, name: string, work: JobWork): void {
  const node = nodeOf(world, name);
  if (node.offline || !node.up) return work.log(`Warning: Can't remove old storage on ${name}`);
  const { data, meta } = volumeNames(disk);
  for (const lvName of [data, meta]) removeVolume(node, "kvmvg", lvName);
}

/** `activate-disks`: attaches and connects what is there, and waits for nothing. */
export async function activateDisks(instance: InstanceModel, work: JobWork): Promise<void> {
  const { disk } = instance;
  const { source, target } = endsOf(instance);
  await work.sleep(CALL_MS);
  for (const end of [target, source]) assemble(work.world, disk, end);
  source.role = Role.PRIMARY;
  work.log(`${source.node}:disk/0:/dev/drbd${source.minor}`);
}

function assemble(world: World, disk: DiskModel, end: DrbdEndModel): void {
  const node = nodeOf(world, end.node);
  if (node.offline) return;
  const there = hasVolume(node, "kvmvg", volumeNames(disk).data);
  if (!end.configured) {
    if (!there) throw new JobFailed(`Can't find the volumes of disk/0 on ${end.node}`);
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
