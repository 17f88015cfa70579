/**
 * Which DRBD minors lose their disk when this one goes, and what else does (I2, I3)? Two words are held against each
 * other: the kernel's (holders in sysfs, which a dead disk cannot silence) and LVM's (which knows volumes that are
 * not active, and cannot read a dead disk).
 */
import { DiskState, type DrbdEnd, type LogicalVolume } from "@vigie/proto";
import type { DiskStack, StackedDevice } from "../disk-stack.js";
import { minorOf } from "../drbd-device.js";

const UUID_LENGTH = 32;
const VOLUME_UUID_AT = "LVM-".length + UUID_LENGTH; // behind the group's

export interface VolumesSeen {
  readonly stack: DiskStack;
  /** Volumes with a segment on the PV, by LVM; undefined: it does not list the PV, or cannot be asked. */
  readonly volumes: readonly LogicalVolume[] | undefined;
}

export interface DiskUse {
  readonly minors: readonly number[]; // each once, rising
  readonly strays: readonly string[]; // what is on it and is no mirrored volume of a planned end; for people
}

/**
 * @param vgUuid of the group whose PV the disk has, with its dashes; volumes of another are strays
 * @param diskOf what each planned end's own disk is now: one that is Diskless has let its volume go
 */
export function useOf(
  { stack, volumes }: VolumesSeen,
  vgUuid: string,
  ends: readonly DrbdEnd[],
  diskOf: (minor: number) => DiskState | undefined,
): DiskUse {
  const letGo = new Map(
    ends
      .filter(({ minor }) => diskOf(minor) === DiskState.DISKLESS)
      .flatMap((end) => mapNames(end).map((name) => [name, end.minor] as const)),
  );
  const minors = new Set<number>();
  const strays: string[] = [];
  for (const device of stack.devices) {
    const minor = minorOf(device.name);
    const freed = letGo.get(device.dmName);
    if (minor !== undefined) minors.add(minor);
    else if (!isVolumeOf(device, vgUuid))
      strays.push(`${device.dmName || device.name}, which is no volume of the group`);
    else if (device.holders.length > 0)
      continue; // what holds it is told by itself
    else if (freed !== undefined) minors.add(freed);
    else strays.push(`${device.dmName}, which no DRBD minor uses`);
  }
  const active = new Set(stack.devices.map(({ dmName }) => dmName));
  for (const volume of volumes ?? []) {
    const name = mapName(volume.vgName, volume.lvName);
    const freed = letGo.get(name);
    if (active.has(name)) continue;
    if (freed !== undefined) minors.add(freed);
    else strays.push(`${volume.vgName}/${volume.lvName}, which is not active`);
  }
  return { minors: [...minors].sort((a, b) => a - b), strays };
}

/** As device-mapper names a volume: each dash within a name is doubled. */
export function mapName(vgName: string, lvName: string): string {
  return [vgName, lvName].map((name) => name.replaceAll("-", "--")).join("-");
}

/** Its data volume, and beside it the metadata volume as Ganeti names it. */
function mapNames({ dataLv }: DrbdEnd): string[] {
  const [vg = "", lv = ""] = dataLv.split("/");
  return [mapName(vg, lv), mapName(vg, lv.replace(/_data$/, "_meta"))];
}

/** The UUID is "LVM-", the group's, the volume's, without dashes: the kernel has it, whatever the disk answers. */
export function isVolumeOf({ dmUuid }: Pick<StackedDevice, "dmUuid">, vgUuid: string): boolean {
  return vgUuid !== "" && dmUuid.startsWith(`LVM-${vgUuid.replaceAll("-", "")}`);
}

/** Of the volume, without dashes; that of a snapshot's hidden parts has "-cow" and the like behind it. */
export function volumeUuid({ dmUuid }: StackedDevice): string {
  return dmUuid.slice(VOLUME_UUID_AT, VOLUME_UUID_AT + UUID_LENGTH);
}

/** Volumes with a segment on one of these devices ("/dev/sdb1"). */
export function volumesOn(volumes: readonly LogicalVolume[], pvNames: ReadonlySet<string>): LogicalVolume[] {
  const isOn = (device: string): boolean => pvNames.has(device.replace(/\(\d+\)$/, ""));
  return volumes.filter(({ segments }) => segments.some(({ devices }) => devices.some(isOn)));
}
