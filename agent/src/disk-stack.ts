/**
 * What stands on a disk, by the kernel's own word: holders/ in sysfs, from the disk and its partitions upwards. It is
 * read from the kernel's memory, so it is told of a disk that answers nothing any more, where LVM lists nothing.
 * A DRBD minor ends the way up: what stands on it is mirrored.
 */
import { VigieError } from "@vigie/proto";
import { minorOf } from "./drbd-device.js";
import type { DeviceHandle, Host } from "./host.js";
import { partitionsIn } from "./sources/block-device-attributes.js";
import { isMissing } from "./sources/reading.js";

const MAX_DEVICES = 4_000; // a disk with a thousand volumes in three layers; more is a loop in what was read

export interface DiskStack {
  /** The disk and then its partitions, by name. */
  readonly parts: readonly DiskPart[];
  /** Everything above them, each once. */
  readonly devices: readonly StackedDevice[];
}

export interface DiskPart {
  readonly name: string; // "sdb", "sdb1"
  readonly dev: string; // "8:17"
  readonly holders: readonly string[]; // names of those that stand on it
}

export interface StackedDevice {
  readonly name: string; // "dm-2", "drbd18", "md0"
  readonly dev: string; // "254:2"
  readonly dmName: string; // empty: it is no device-mapper device
  readonly dmUuid: string;
  readonly holders: readonly string[]; // names of those that stand on it; of a DRBD minor none are told
}

/** @throws VigieError SOURCE_FAILED where anything of it cannot be read: then nobody can say what stands there (I11) */
export async function readDiskStack(host: Host, disk: DeviceHandle, name: string): Promise<DiskStack> {
  try {
    const partitions = partitionsIn(name, await disk.list(""));
    const parts = await Promise.all(
      [name, ...partitions].map((part) => partOf(disk, part, part === name ? "" : `${part}/`)),
    );
    return {
      parts,
      devices: await above(
        host,
        parts.flatMap(({ holders }) => holders),
      ),
    };
  } catch (cause) {
    if (cause instanceof VigieError) throw cause;
    throw new VigieError("SOURCE_FAILED", `what stands on ${name} cannot be read`, { cause });
  }
}

async function partOf(disk: DeviceHandle, name: string, folder: string): Promise<DiskPart> {
  const dev = (await disk.read(`${folder}dev`)).trim();
  return { name, dev, holders: (await disk.list(`${folder}holders`)).sort() };
}

/** What stands on one block device that is no disk: a DRBD minor's maps, and what is on these. */
export async function stackAbove(host: Host, name: string): Promise<StackedDevice[]> {
  return above(host, await host.listFolder(`/sys/block/${name}/holders`));
}

async function above(host: Host, lowest: readonly string[]): Promise<StackedDevice[]> {
  const found = new Map<string, StackedDevice>();
  const open = [...lowest];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    if (found.size >= MAX_DEVICES) throw new VigieError("SOURCE_FAILED", "more devices than there can be");
    const device = await stacked(host, name);
    found.set(name, device);
    open.push(...device.holders);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

async function stacked(host: Host, name: string): Promise<StackedDevice> {
  const folder = `/sys/block/${name}`;
  const isMinor = minorOf(name) !== undefined;
  return {
    name,
    dev: (await host.readFile(`${folder}/dev`)).trim(),
    dmName: await textOrNothing(host, `${folder}/dm/name`),
    dmUuid: await textOrNothing(host, `${folder}/dm/uuid`),
    holders: isMinor ? [] : (await host.listFolder(`${folder}/holders`)).sort(),
  };
}

async function textOrNothing(host: Host, path: string): Promise<string> {
  try {
    return (await host.readFile(path)).trim();
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}
