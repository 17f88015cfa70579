/** What a person types about a disk and what lies on it. No glob, no --force: one name at a time (I5). */
import type { DiskIdentity, DrbdEnd, VolumeMap } from "@vigie/proto";

export function manualDiskOffline({ node, name }: DiskIdentity): string[] {
  return [`${node}# echo offline > /sys/block/${name}/device/state`];
}

export function manualDetach({ node, minor }: DrbdEnd): string[] {
  return [`${node}# drbdsetup detach ${minor}`];
}

export function manualRemoveMaps(node: string, maps: readonly VolumeMap[]): string[] {
  return maps.map(({ name }) => `${node}# dmsetup remove ${name}`);
}

export function manualDeleteDisk({ node, name }: DiskIdentity): string[] {
  return [`${node}# echo 1 > /sys/block/${name}/device/delete`];
}

export function manualLocate({ node, name }: DiskIdentity): string {
  return `${node}# ledctl locate=/dev/${name}`;
}

export function manualAdopt(
  { node, name }: DiskIdentity,
  vgName: string,
  partition: boolean,
  vgIsThere: boolean,
): string[] {
  const pv = partition ? `/dev/${name}1` : `/dev/${name}`;
  const lines = [
    ...(partition ? [`echo 'type=8e' | sfdisk /dev/${name}`] : []),
    `pvcreate ${pv}`,
    `${vgIsThere ? "vgextend" : "vgcreate"} ${vgName} ${pv}`,
  ];
  return lines.map((line) => `${node}# ${line}`);
}
