/** What a person types about one DRBD minor and who holds it, the least harmful first. */
import { HolderKind, type DrbdEnd, type Holder } from "@vigie/proto";
import type { ResourceEnd } from "../view/join.js";

/** How to look who holds it. */
export function manualLookForHolders(node: string, minor: number): string[] {
  return [
    `ls /sys/block/drbd${minor}/holders`,
    `dmsetup ls | grep drbd${minor}`,
    `grep drbd${minor} /proc/mounts`,
    `losetup -l | grep drbd${minor}`,
    "swapon --show",
    `fuser -v /dev/drbd${minor}`,
  ].map((command) => `${node}# ${command}`);
}

/** How to make each of them let go: what nobody uses first, processes and guests' volume groups last. */
export function manualLetGo(node: string, minor: number, holders: readonly Holder[]): string[] {
  const commands = holders
    .toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
    .map((holder) => letGo(minor, holder))
    .filter((command) => command !== "");
  return [...new Set(commands)].map((command) => `${node}# ${command}`);
}

const ORDER: readonly HolderKind[] = [
  HolderKind.MOUNT,
  HolderKind.SWAP,
  HolderKind.MAP,
  HolderKind.LOOP,
  HolderKind.GUEST_VG,
  HolderKind.PROCESS,
  HolderKind.OTHER,
];

function letGo(minor: number, { kind, name, pid, kpartx }: Holder): string {
  switch (kind) {
    case HolderKind.MOUNT:
      return `umount ${name}`;
    case HolderKind.SWAP:
      return `swapoff /dev/drbd${minor}`;
    case HolderKind.MAP:
      return kpartx ? `kpartx -d /dev/drbd${minor}` : `dmsetup remove ${name}`;
    case HolderKind.LOOP:
      return `losetup -d /dev/${name}`;
    case HolderKind.GUEST_VG:
      return `vgchange -an ${name}`;
    case HolderKind.PROCESS:
      return `kill ${pid}`;
    case HolderKind.OTHER:
    case HolderKind.UNSPECIFIED:
    case HolderKind.UNRECOGNIZED:
      return "";
  }
}

export function manualUnmap({ node, minor }: DrbdEnd): string[] {
  return [`${node}# kpartx -d /dev/drbd${minor}`];
}

/** 8.4 takes the resource's name; 8.3 has none, and takes the device: `drbdsetup /dev/drbd45 down`. */
export function manualDown({ node, minor }: DrbdEnd): string[] {
  return [`${node}# drbdsetup down resource${minor}`];
}

export function manualSnapshot({ node, dataLv }: DrbdEnd, name: string, sizeKib: number): string[] {
  return [`${node}# lvcreate --snapshot --name ${name} --size ${sizeKib}k ${dataLv}`];
}

export function manualRemoveSnapshot({ node, dataLv }: DrbdEnd, name: string): string {
  return `${node}# lvremove ${dataLv.split("/")[0] ?? ""}/${name}`;
}

/** Each where it is needed: a Secondary is not demoted, and an end that is StandAlone is not disconnected. */
export function manualDiscard({ node, minor, localAddress, peerAddress, port }: DrbdEnd): string[] {
  return [
    `drbdsetup secondary ${minor}`,
    `drbdsetup disconnect ${socket(localAddress, port)} ${socket(peerAddress, port)}`,
    `drbdsetup invalidate ${minor}`,
  ].map((command) => `${node}# ${command}`);
}

/** Of the secondary node: a Primary that loses its peer begins a new generation, and is the source afterwards. */
export function manualDisconnect({ node, address }: ResourceEnd, peer: ResourceEnd, port: number): string[] {
  return [`${node}# drbdsetup disconnect ${socket(address, port)} ${socket(peer.address, port)}`];
}

export function manualResumeSync(node: string, minor: number): string {
  return `${node}# drbdsetup resume-sync ${minor}`;
}

function socket(address: string, port: number): string {
  return address.includes(":") ? `ipv6:[${address}]:${port}` : `ipv4:${address}:${port}`;
}
