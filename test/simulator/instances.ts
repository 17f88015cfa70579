/** Instances come and go: a new one's minors and ports are the lowest free ones, so those of a removed one are used again. */
import type { InstanceSpec } from "./cluster-spec.js";
import { createDisk, endAt, type DiskModel } from "./drbd-model.js";
import type { InstanceModel } from "./ganeti-model.js";
import { makeVolume, removeVolume, type PlainDiskModel } from "./lvm-model.js";
import { makeVolumes, nodeOf, volumeNames, type World } from "./world.js";

const FIRST_PORT = 11_000;
const SECONDARY_MINORS = 10; // further, where a cluster is laid out: a log then shows which end is meant

/** @param minor the one of its first disk's primary end, where it is free @throws Error where a node has no room */
export function addInstance(world: World, spec: InstanceSpec, minor = 0): InstanceModel {
  const uuid = `inst-${nextUuid(world)}`;
  const instance: InstanceModel = {
    name: spec.name,
    uuid,
    disks:
      spec.template === "drbd" ? spec.sizesKib.map((kib, i) => mirrored(world, spec, i, kib, minor)) : [],
    plain: spec.template === "plain" ? spec.sizesKib.map((kib, i) => single(world, spec, i, kib)) : [],
    primary: spec.primary,
    adminState: spec.up ? "up" : "down",
    serial: 1,
    tags: [],
  };
  world.ganeti.instances.push(instance);
  if (spec.up) nodeOf(world, spec.primary).guests.add(spec.name);
  return instance;
}

/** Its guest, its minors and its volumes; a node that is down keeps them. */
export function removeInstance(world: World, instance: InstanceModel): void {
  const { instances } = world.ganeti;
  for (const node of world.nodes.values()) if (node.up) node.guests.delete(instance.name);
  for (const disk of instance.disks) {
    for (const { node } of disk.ends) {
      const { data, meta } = volumeNames(disk);
      for (const lvName of [data, meta]) removeVolume(nodeOf(world, node), "kvmvg", lvName);
    }
    world.disks.splice(world.disks.indexOf(disk), 1);
  }
  for (const { node, lvName } of instance.plain) removeVolume(nodeOf(world, node), "kvmvg", lvName);
  instances.splice(instances.indexOf(instance), 1);
  world.ganeti.configSerial += 1;
}

function mirrored(
  world: World,
  spec: InstanceSpec,
  index: number,
  sizeKib: number,
  minor: number,
): DiskModel {
  const { primary, secondary } = spec;
  const preferred = minor + index;
  const disk = createDisk({
    uuid: nextUuid(world, true),
    instance: spec.name,
    index,
    port: freePort(world),
    sizeKib,
    on: [
      [primary, freeMinor(world, primary, preferred)],
      [secondary, freeMinor(world, secondary, preferred + SECONDARY_MINORS)],
    ],
  });
  world.disks.push(disk);
  for (const end of disk.ends) {
    const why = makeVolumes(nodeOf(world, end.node), disk);
    if (why !== undefined) throw new Error(why);
    end.configured = spec.up;
  }
  return disk;
}

function single(world: World, { primary }: InstanceSpec, index: number, sizeKib: number): PlainDiskModel {
  const uuid = nextUuid(world, true);
  const lvName = `${uuid}.disk${index}`;
  const why = makeVolume(nodeOf(world, primary), "kvmvg", lvName, sizeKib * 1024);
  if (why !== undefined) throw new Error(why);
  return { uuid, node: primary, lvName, sizeKib };
}

function nextUuid({ ganeti }: World, taken = false): string {
  const uuid = `${String(ganeti.disksMade).padStart(8, "0")}-0000-4000-8000-000000000000`;
  if (taken) ganeti.disksMade += 1;
  return uuid;
}

/** Ganeti gives out the freed ones first (WConfd, allocatePort). */
function freePort({ disks }: World): number {
  const taken = new Set(disks.map(({ port }) => port));
  let port = FIRST_PORT;
  while (taken.has(port)) port += 1;
  return port;
}

/** The lowest one, unless another one is wanted and free. */
export function freeMinor({ disks }: World, node: string, wanted = 0): number {
  const taken = new Set(disks.map((disk) => endAt(disk, node)?.minor));
  if (!taken.has(wanted)) return wanted;
  let minor = 0;
  while (taken.has(minor)) minor += 1;
  return minor;
}
