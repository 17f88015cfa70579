/** device-mapper of one node: a map for each active volume, and kpartx's on a guest's disk. */
import type { MapModel, NodeModel } from "./node-model.js";

export const DRBD_MAJOR = 147;

/** "kvmvg" and "a-b" is "kvmvg-a--b". */
export function mapName(vgName: string, lvName: string): string {
  return [vgName, lvName].map((part) => part.replaceAll("-", "--")).join("-");
}

export function addMap(node: NodeModel, map: Omit<MapModel, "minor">): void {
  const taken = new Set(node.maps.map(({ minor }) => minor));
  let minor = 0;
  while (taken.has(minor)) minor += 1;
  node.maps.push({ ...map, minor });
}

export function removeMap(node: NodeModel, name: string): boolean {
  const at = node.maps.findIndex((map) => map.name === name);
  if (at !== -1) node.maps.splice(at, 1);
  return at !== -1;
}

/** The maps that `kpartx -a` makes of a disk with two partitions. */
export function mapPartitions(node: NodeModel, minor: number): void {
  for (const part of [1, 2])
    addMap(node, {
      name: `drbd${minor}p${part}`,
      uuid: `part${part}-devnode_${DRBD_MAJOR}:${minor}_Wh5pYvM`,
      on: `${DRBD_MAJOR}:${minor}`,
      sectors: 32_768,
    });
}

export function partitionMapsOf(node: NodeModel, minor: number): MapModel[] {
  return node.maps.filter(({ on }) => on === `${DRBD_MAJOR}:${minor}`);
}
