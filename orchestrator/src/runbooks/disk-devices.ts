/** Which device numbers and names are parts of one disk. */
import { DiskIdentity, type BlockDevice, type LvmFacts } from "@vigie/proto";

/** SCSI and virtio disks have 16 numbers each: the disk, and its first 15 partitions. */
const NUMBERS_A_DISK = 16;

/** @param dev "8:17" */
export function isPartOf(disk: BlockDevice, dev: string): boolean {
  if (dev === disk.dev) return true;
  const [major, minor] = numbers(dev);
  const [diskMajor, diskMinor] = numbers(disk.dev);
  return major === diskMajor && Math.floor(minor / NUMBERS_A_DISK) === Math.floor(diskMinor / NUMBERS_A_DISK);
}

/** N of the partition that a device number is; 0: the disk itself. */
export function partitionNumber(dev: string): number {
  return numbers(dev)[1] % NUMBERS_A_DISK;
}

function numbers(dev: string): readonly [number, number] {
  const [major = "", minor = ""] = dev.split(":");
  return [Number(major), Number(minor)];
}

/** "/dev/sdb", "/dev/sdb1", … */
export function pathsOf(disk: BlockDevice): string[] {
  return [disk.name, ...disk.partitions].map((name) => `/dev/${name.replaceAll("!", "/")}`);
}

/** N of "sdb1" of the disk "sdb"; of "nvme0n1p2" of "nvme0n1". */
export function numberInName(disk: BlockDevice, partition: string): number {
  return Number(/(?<n>\d+)$/.exec(partition.slice(disk.name.length))?.groups?.["n"] ?? 0);
}

export function identityOf(
  node: string,
  bootId: string,
  disk: BlockDevice,
  lvm: LvmFacts | undefined,
): DiskIdentity {
  const paths = pathsOf(disk);
  const pv = lvm?.physicalVolumes.find(({ pvName }) => paths.includes(pvName));
  const vg = lvm?.volumeGroups.find(({ vgName }) => pv !== undefined && vgName === pv.vgName);
  return DiskIdentity.create({
    node,
    bootId,
    name: disk.name,
    dev: disk.dev,
    wwid: disk.wwid,
    serial: disk.serial,
    model: disk.model,
    sizeBytes: disk.sizeBytes,
    scsiAddress: disk.scsiAddress,
    pvUuid: pv?.uuid ?? "",
    pvName: pv?.pvName ?? "",
    vgName: pv?.vgName ?? "",
    vgUuid: vg?.uuid ?? "",
  });
}

/** Why what is to be done with this disk may be done to another one (I12). */
export function identityRefusals(disk: BlockDevice, all: readonly BlockDevice[]): string[] {
  if (disk.wwid === "")
    return [`${disk.name} tells no world-wide name: which disk it is cannot be made sure (I12)`];
  const same = all.filter(({ wwid, name }) => wwid === disk.wwid && name !== disk.name);
  return same.map(({ name }) => `${name} has the same world-wide name as ${disk.name} (I12)`);
}

/** "sdb, ST4000 serial Z300ABCD, naa.5000c500…, at 1:0:0:0, 3.6 TiB". */
export function describeDisk(disk: BlockDevice): string {
  const serial = disk.serial === "" ? "" : `serial ${disk.serial}`;
  const at = disk.scsiAddress === "" ? "" : `at ${disk.scsiAddress}`;
  return [disk.name, disk.model.trim(), serial, disk.wwid, at, sizeText(disk.sizeBytes)]
    .filter((part) => part !== "")
    .join(", ");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function sizeText(bytes: number): string {
  const power = bytes <= 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power] ?? "B"}`;
}
