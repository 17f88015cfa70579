/**
 * What lies on a disk: disk → device-mapper's volumes → the minors of mirrored disks. By the kernel's own tables,
 * which stay when the disk does not answer any more and LVM prints nothing; what LVM prints is held against them.
 * Whatever is not one copy of a mirrored disk that Ganeti names is an obstacle (I3, I4), and so is all that is not
 * understood (I11).
 */
import {
  Source,
  VolumeMap,
  type BlockDevice,
  type DeviceMapperDevice,
  type DiskIdentity,
  type DrbdConfigFacts,
  type LvmFacts,
  type MountFacts,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import type { NodeView } from "../view/node-view.js";
import { identityOf, isPartOf, numberInName, partitionNumber, pathsOf } from "./disk-devices.js";
import { freshFacts } from "../view/fresh-facts.js";
import { groupUuidOfMap, pathsOfVolume, volumeOfMap } from "./volume-names.js";

export interface DiskLayout {
  readonly identity: DiskIdentity;
  readonly running: boolean; // the kernel still asks it
  readonly maps: readonly VolumeMap[]; // in device-mapper's order
  readonly mirrors: readonly Resource[]; // one copy of each is here
  readonly plain: readonly string[]; // instances whose only copy is here
  readonly obstacles: readonly string[];
}

export function diskLayout(view: ClusterView, node: string, disk: BlockDevice, nowMs: number): DiskLayout {
  const nodeView = view.nodes.get(node);
  const running = disk.state === "running";
  const lvm = freshFacts(nodeView, Source.LVM, "lvm", nowMs);
  const mapper = freshFacts(nodeView, Source.DEVICE_MAPPER, "deviceMapper", nowMs);
  const mounts = freshFacts(nodeView, Source.MOUNTS, "mounts", nowMs);
  const config = freshFacts(nodeView, Source.DRBD_CONFIG, "drbdConfig", nowMs);
  const index = volumeIndex(view, node);
  const maps = (mapper.facts?.devices ?? []).filter((map) =>
    map.dependsOn.some((dev) => isPartOf(disk, dev)),
  );
  const volumes = new Set([
    ...maps.map(({ name }) => volumeOfMap(name) ?? ""),
    ...lvmVolumes(lvm.facts, disk),
  ]);
  volumes.delete("");
  const mirrors = unique([...volumes].map((volume) => index.get(volume)).filter(isMirror));
  const plain = [...volumes].map((volume) => index.get(volume)).filter((it) => typeof it === "string");
  const unread = [mapper, mounts, config, ...(running ? [lvm] : [])];
  return {
    identity: withGroup(identityOf(node, nodeView?.bootId ?? "", disk, lvm.facts), maps),
    running,
    maps: maps.map(({ name, uuid }) => VolumeMap.create({ name, uuid })),
    mirrors,
    plain,
    obstacles: [
      ...unread.map(({ unknown }) => unknown).filter((why) => why !== ""),
      ...unread.flatMap(({ damaged }) => damaged.map((d) => `not understood (I11): ${d.object} ${d.reason}`)),
      ...partitionObstacles(disk, lvm.facts, maps),
      ...holderObstacles(disk, mapper.facts?.devices ?? []),
      ...mountObstacles(disk, mounts.facts, maps),
      ...mapObstacles(disk, maps, mapper.facts?.devices ?? []),
      ...lvmObstacles(disk, lvm.facts),
      ...[...volumes].filter((volume) => !index.has(volume)).map(strangerText),
      ...plain.map((instance) => `${instance} has its only copy here: it is not mirrored (I3)`),
      ...strangerMinors(config.facts, volumes, mirrors, node),
    ],
  };
}

/** Of a disk that LVM cannot read any more, the volumes' maps still tell the group. */
function withGroup(identity: DiskIdentity, maps: readonly DeviceMapperDevice[]): DiskIdentity {
  const [map] = maps;
  if (identity.vgUuid !== "" || map === undefined) return identity;
  return {
    ...identity,
    vgName: volumeOfMap(map.name)?.split("/")[0] ?? "",
    vgUuid: groupUuidOfMap(map.uuid),
  };
}

/** "VG/LV" at this node → the mirrored disk of which it is a copy, or the name of the instance that has no other. */
function volumeIndex(view: ClusterView, node: string): Map<string, Resource | string> {
  const index = new Map<string, Resource | string>();
  for (const resource of view.resourcesByNode.get(node) ?? []) {
    const disk = view.instances.get(resource.instance)?.disks.find((it) => it.index === resource.diskIndex);
    if (disk === undefined) continue;
    index.set(disk.dataLv, resource);
    if (disk.metaLv !== "") index.set(disk.metaLv, resource);
  }
  for (const instance of view.instances.values())
    if (instance.primaryNode === node)
      for (const disk of instance.disks) if (disk.type === "plain") index.set(disk.dataLv, instance.name);
  return index;
}

function isMirror(found: Resource | string | undefined): found is Resource {
  return found !== undefined && typeof found !== "string";
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}

function lvmVolumes(lvm: LvmFacts | undefined, disk: BlockDevice): string[] {
  return (lvm?.logicalVolumes ?? [])
    .filter((lv) => lv.segments.some((s) => s.devices.some((device) => isOn(disk, device))))
    .map((lv) => `${lv.vgName}/${lv.lvName}`);
}

/** @param device as lvs prints it, with the first extent: "/dev/sdb1(0)" */
function isOn(disk: BlockDevice, device: string): boolean {
  return pathsOf(disk).includes(device.replace(/\(\d+\)$/, ""));
}

/** I3: what is on a partition that LVM does not use is not known: it may be swap, or boot the node. */
function partitionObstacles(
  disk: BlockDevice,
  lvm: LvmFacts | undefined,
  maps: readonly DeviceMapperDevice[],
): string[] {
  const mapped = new Set(maps.flatMap((map) => map.dependsOn.map(partitionNumber)));
  const pvs = new Set((lvm?.physicalVolumes ?? []).map(({ pvName }) => pvName));
  return disk.partitions
    .filter((name) => !pvs.has(`/dev/${name}`) && !mapped.has(numberInName(disk, name)))
    .map((name) => `${name} is not LVM's: what is on it is not known (I3)`);
}

function holderObstacles(disk: BlockDevice, maps: readonly DeviceMapperDevice[]): string[] {
  const known = new Set(maps.map(({ minor }) => `dm-${minor}`));
  return disk.holders.filter((name) => !known.has(name)).map((name) => `${name} stands on ${disk.name}`);
}

function mountObstacles(
  disk: BlockDevice,
  mounts: MountFacts | undefined,
  maps: readonly DeviceMapperDevice[],
): string[] {
  const paths = new Set([
    ...pathsOf(disk),
    ...maps.flatMap(({ name }) => pathsOfVolume(volumeOfMap(name) ?? name, name)),
  ]);
  return (mounts?.mounts ?? [])
    .filter(({ device }) => paths.has(device))
    .map(({ device, mountPoint }) => `${device} is mounted on ${mountPoint} (I3)`);
}

function mapObstacles(
  disk: BlockDevice,
  maps: readonly DeviceMapperDevice[],
  all: readonly DeviceMapperDevice[],
): string[] {
  const numbers = new Map(maps.map((map) => [`${map.major}:${map.minor}`, map.name]));
  const above = all.flatMap(({ name, dependsOn }) =>
    dependsOn.filter((dev) => numbers.has(dev)).map((dev) => `${name} stands on ${numbers.get(dev)}`),
  );
  const strange = maps.flatMap((map) => {
    if (!map.uuid.startsWith("LVM-") || volumeOfMap(map.name) === undefined)
      return [`the map ${map.name} stands on ${disk.name}, and is no volume of LVM's`];
    const elsewhere = map.dependsOn.filter((dev) => !isPartOf(disk, dev));
    return elsewhere.length === 0 ? [] : [`${map.name} lies on ${elsewhere.join(" and ")} too (I4)`];
  });
  return [...above, ...strange];
}

function lvmObstacles(disk: BlockDevice, lvm: LvmFacts | undefined): string[] {
  return (lvm?.logicalVolumes ?? []).flatMap(({ vgName, lvName, segments }) => {
    const devices = segments.flatMap((segment) => segment.devices);
    const here = devices.filter((device) => isOn(disk, device));
    if (here.length === 0 || here.length === devices.length) return [];
    return [`${vgName}/${lvName} has a part elsewhere: ${devices.find((d) => !isOn(disk, d)) ?? ""} (I4)`];
  });
}

function strangerText(volume: string): string {
  return `${volume} is no copy of a mirrored disk that Ganeti names (I3)`;
}

/** Minors that the kernel has on these volumes, and Ganeti does not name. */
function strangerMinors(
  config: DrbdConfigFacts | undefined,
  volumes: ReadonlySet<string>,
  mirrors: readonly Resource[],
  node: string,
): string[] {
  const named = new Set(
    mirrors.flatMap((r) => r.ends.filter((end) => end.node === node).map((end) => end.minor)),
  );
  return (config?.resources ?? [])
    .filter(({ backingDevice, metaDevice }) =>
      [backingDevice, metaDevice].some((path) => volumes.has(path.replace(/^\/dev\//, ""))),
    )
    .filter(({ minor }) => !named.has(minor))
    .map(({ minor }) => `minor ${minor} stands on it, and Ganeti names another one there`);
}

/** Disks of the cluster that a kernel has given up; another one may not be retired beside it (I9). */
export function offlineDisks(
  nodes: Iterable<NodeView>,
): { readonly node: string; readonly disk: BlockDevice }[] {
  const found: { readonly node: string; readonly disk: BlockDevice }[] = [];
  for (const node of nodes) {
    const facts = node.sources.get(Source.BLOCK_DEVICES)?.report.facts;
    if (facts?.$case !== "blockDevices") continue;
    for (const disk of facts.value.devices)
      if (GIVEN_UP.has(disk.state)) found.push({ node: node.name, disk });
  }
  return found;
}

export const GIVEN_UP: ReadonlySet<string> = new Set(["offline", "transport-offline", "cancel", "deleted"]);
