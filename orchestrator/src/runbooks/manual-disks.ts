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

/** A table of type dos counts 2^32 sectors of 512 bytes. */
const DOS_MAX_BYTES = 2 ** 41;
const GPT_LVM = "E6D6D379-F507-44C2-A23C-238F2A3DF928"; // what type 8e is called there

export function manualAdopt(
  { node, name, sizeBytes }: DiskIdentity,
  vgName: string,
  partition: boolean,
  vgIsThere: boolean,
): string[] {
  const disk = `/dev/${name.replaceAll("!", "/")}`;
  const first = /\d$/.test(disk) ? `${disk}p1` : `${disk}1`;
  const pv = partition ? first : disk;
  const table = sizeBytes > DOS_MAX_BYTES ? `label: gpt\\ntype=${GPT_LVM}\\n` : "label: dos\\ntype=8e\\n";
  const lines = [
    ...(partition ? [`printf '${table}' | sfdisk --wipe never ${disk}`, "udevadm settle --timeout=20"] : []),
    `pvcreate ${pv}`,
    `${vgIsThere ? "vgextend" : "vgcreate"} ${vgName} ${pv}`,
  ];
  return lines.map((line) => `${node}# ${line}`);
}
