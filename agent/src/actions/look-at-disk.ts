/** What the guards of disks are given: read through the handle that will be written to (I12, I14). */
import {
  explain,
  Source,
  VigieError,
  type BlockDevice,
  type DiskIdentity,
  type PhysicalVolume,
  type SourceReport,
} from "@vigie/proto";
import { readDiskStack, type DiskStack } from "../disk-stack.js";
import { devicePath } from "../guards/disk-content.js";
import type { LvmWord } from "../guards/disk-offline.js";
import type { DiskSeen } from "../guards/disk-identity.js";
import { volumesOn, type VolumesSeen } from "../guards/disk-volumes.js";
import { twinsAmong } from "../guards/twins.js";
import type { HostUse } from "../guards/host-use.js";
import type { DeviceHandle, Host } from "../host.js";
import { readWhole } from "../sources/block-device.js";
import { parseMountinfo, parseSwaps, type MountedDevice } from "../sources/mountinfo.js";
import type { Look } from "./action.js";

const LVM_MAX_AGE_MS = 60_000;
const MISSING = "[unknown]"; // LVM's name of a physical volume whose device is gone

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
  readonly lvm: LvmWord;
}

/**
 * LVM's word on this disk. It may be a minute old: which volumes are there changes by hand only, the kernel's stack was
 * just read, and on a disk that fails LVM takes longer than the peers' reports are good for (I7). Where it cannot be
 * asked, or does not tell all, it is what it last said of all.
 */
export async function lvmOf(disk: DiskIdentity, stack: DiskStack, look: Look): Promise<LvmOfDisk> {
  const report = await look.recent(Source.LVM, LVM_MAX_AGE_MS);
  const listed = listedOn(disk, stack, report);
  const because = whyNotWhole(report);
  if (because === "") {
    const word = listed.pvs.length > 0 ? "listed" : "not listed";
    return { ...listed, lvm: { word, because } };
  }
  const last = look.lastGood(Source.LVM);
  const before =
    last === undefined || whyNotWhole(last) !== "" ? NOTHING_LISTED : listedOn(disk, stack, last);
  return { ...before, lvm: { word: before.pvs.length > 0 ? "listed before" : "unknown", because } };
}

/** Empty: it is all that LVM knows. */
function whyNotWhole({ facts, reason, damaged }: SourceReport): string {
  if (facts?.$case !== "lvm") return reason || "it cannot be asked";
  const [first] = damaged;
  return first === undefined ? "" : `it does not tell all: ${first.object} ${first.reason}`;
}

const NOTHING_LISTED: Omit<LvmOfDisk, "lvm"> = { pvs: [], volumes: undefined };

/** A disk that is dead is listed as a volume that is missing: then its volumes are those with a missing piece. */
function listedOn(disk: DiskIdentity, stack: DiskStack, { facts }: SourceReport): Omit<LvmOfDisk, "lvm"> {
  if (facts?.$case !== "lvm") return NOTHING_LISTED;
  const { physicalVolumes, logicalVolumes } = facts.value;
  const names = new Set(stack.parts.map(({ name }) => devicePath(name)));
  const pvs = physicalVolumes.filter(({ pvName }) => names.has(pvName));
  if (pvs.length > 0) return { pvs, volumes: volumesOn(logicalVolumes, names) };
  const isMissing = physicalVolumes.some(
    ({ pvName, uuid }) => pvName === MISSING && uuid !== "" && uuid === disk.pvUuid,
  );
  if (!isMissing) return NOTHING_LISTED;
  const inGroup = logicalVolumes.filter(({ vgName }) => vgName === disk.vgName);
  return { pvs: [], volumes: volumesOn(inGroup, new Set([MISSING])) };
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
