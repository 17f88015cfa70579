/** What the guards of disks are given: read through the handle that will be written to (I12, I14). */
import {
  explain,
  Source,
  VigieError,
  type BlockDevice,
  type DiskIdentity,
  type PhysicalVolume,
} from "@vigie/proto";
import { readDiskStack, type DiskStack } from "../disk-stack.js";
import type { DiskSeen } from "../guards/disk-identity.js";
import { volumesOn, type VolumesSeen } from "../guards/disk-volumes.js";
import { twinsAmong } from "../guards/twins.js";
import type { HostUse } from "../guards/host-use.js";
import type { DeviceHandle, Host } from "../host.js";
import { readWhole } from "../sources/block-device.js";
import { parseMountinfo, parseSwaps, type MountedDevice } from "../sources/mountinfo.js";
import type { Look } from "./action.js";

const LVM_MAX_AGE_MS = 60_000;

/** What all actions on one disk of this node share (I9). */
export function diskLock(disk: DiskIdentity | undefined): string {
  return `disk ${disk?.name ?? "?"}`;
}

export async function seenDisk(disk: DiskIdentity, look: Look): Promise<DiskSeen> {
  const { bootId } = look;
  const readAtMs = look.host.monotonicMs();
  const ageMs = (): number => look.host.monotonicMs() - readAtMs;
  try {
    const seen = await readWhole(throughHandle(look.host, handleOf(look), disk.name), disk.name);
    if (seen === undefined)
      return { bootId, device: undefined, unknownBecause: "it is gone", twins: [], ageMs: ageMs() };
    const [damaged] = seen.damaged;
    if (damaged !== undefined) throw new VigieError("SOURCE_FAILED", damaged.reason);
    const twins = await twinsOf(seen.device, look);
    return { bootId, device: seen.device, unknownBecause: "", twins, ageMs: ageMs() };
  } catch (error) {
    return { bootId, device: undefined, unknownBecause: explain(error), twins: [], ageMs: ageMs() };
  }
}

/** Two paths to one disk, or a clone: which one is meant is not known then. */
async function twinsOf(device: BlockDevice, look: Look): Promise<string[]> {
  const report = await look.read(Source.BLOCK_DEVICES);
  if (report.facts?.$case !== "blockDevices")
    throw new VigieError("SOURCE_FAILED", `other disks are not known: ${report.reason}`);
  return twinsAmong(device, report.facts.value.devices, report.damaged);
}

/** Of the disk of this name that is still the same one; undefined: it is not there, or another is. */
export async function stateByWwid(disk: DiskIdentity | undefined, look: Look): Promise<string | undefined> {
  const { facts } = await look.read(Source.BLOCK_DEVICES);
  if (facts?.$case !== "blockDevices" || disk === undefined) return undefined;
  const found = facts.value.devices.find(({ name }) => name === disk.name);
  return found?.wwid === disk.wwid && found.dev === disk.dev && disk.wwid !== "" ? found.state : undefined;
}

/** @throws VigieError SOURCE_FAILED */
export async function stackOf(disk: DiskIdentity, look: Look): Promise<DiskStack> {
  return readDiskStack(look.host, handleOf(look), disk.name);
}

export interface LvmOfDisk {
  readonly pvs: readonly PhysicalVolume[];
  readonly volumes: VolumesSeen["volumes"];
}

/**
 * LVM's word on this disk; without volumes where it does not list the PV, or cannot be asked. It may be a minute old:
 * which volumes are there changes by hand only, the kernel's stack was just read, and on a disk that fails LVM takes
 * longer than the peers' reports are good for (I7).
 */
export async function lvmOf(stack: DiskStack, look: Look): Promise<LvmOfDisk> {
  const { facts } = await look.recent(Source.LVM, LVM_MAX_AGE_MS);
  if (facts?.$case !== "lvm") return { pvs: [], volumes: undefined };
  const names = new Set(stack.parts.map(({ name }) => `/dev/${name.replaceAll("!", "/")}`));
  const pvs = facts.value.physicalVolumes.filter(({ pvName }) => names.has(pvName));
  if (pvs.length === 0) return { pvs, volumes: undefined };
  return { pvs, volumes: volumesOn(facts.value.logicalVolumes, names) };
}

/**
 * Of the host's own namespace (process 1) and of ours, which may see more or less. A table that cannot be read, or does
 * not even have the root, is not an empty one (I11).
 */
export async function hostUse(host: Host): Promise<HostUse> {
  try {
    const [own, first] = await Promise.all(["self", "1"].map((process) => mountsOf(host, process)));
    const swaps = parseSwaps(await host.readFile("/proc/swaps"));
    return { mounts: [...(own ?? []), ...(first ?? [])], swaps, unknownBecause: "" };
  } catch (error) {
    return { mounts: [], swaps: [], unknownBecause: explain(error) };
  }
}

async function mountsOf(host: Host, process: string): Promise<MountedDevice[]> {
  const path = `/proc/${process}/mountinfo`;
  const mounts = parseMountinfo(await host.readFile(path));
  if (mounts.some(({ mountPoint }) => mountPoint === "/")) return mounts;
  throw new VigieError("SOURCE_FAILED", `${path} is without the root`);
}

function handleOf({ device }: Look): DeviceHandle {
  if (device === undefined) throw new VigieError("SOURCE_FAILED", "the disk is not open");
  return device;
}

/** The same host, but the disk's own folder is read through the handle. */
function throughHandle(host: Host, device: DeviceHandle, name: string): Host {
  const folder = `/sys/block/${name}`;
  const within = (path: string): string | undefined =>
    path === folder || path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
  const through = <T>(
    path: string,
    held: (inside: string) => Promise<T>,
    other: (path: string) => Promise<T>,
  ) => {
    const inside = within(path);
    return inside === undefined ? other(path) : held(inside);
  };
  return {
    ...host,
    readFile: (path) => through(path, device.read, host.readFile),
    readLink: (path) => through(path, device.readLink, host.readLink),
    listFolder: (path) => through(path, device.list, host.listFolder),
  };
}
