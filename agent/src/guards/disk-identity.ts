/**
 * Is this the disk that was planned (I12)? Names shift, and a disk that was replaced comes back under another one's;
 * what it says of itself must agree in everything, and nothing else on the node may say the same.
 */
import type { BlockDevice, DiskIdentity, GuardFact } from "@vigie/proto";
import { bootFact } from "./drbd-end.js";
import { ageFact, fact } from "./fact.js";

export interface DiskSeen {
  readonly bootId: string; // of this node, now
  readonly device: BlockDevice | undefined; // read through the handle that will be written to
  readonly unknownBecause: string; // why it is undefined
  readonly twins: readonly string[]; // names of other devices with the same wwid
  readonly ageMs: number; // since it was looked at
}

export function diskFacts(disk: DiskIdentity | undefined, seen: DiskSeen): GuardFact[] {
  if (disk === undefined) return [fact("which disk", "not named", false, "I12")];
  const boot = bootFact(disk, seen.bootId);
  const { device } = seen;
  if (device === undefined) return [boot, fact(disk.name, seen.unknownBecause, false, "I11")];
  return [
    boot,
    ageFact("disk's reading age", seen.ageMs, "I14"),
    same("device number", device.dev, disk.dev),
    fact("wwid", device.wwid || "none", device.wwid !== "" && device.wwid === disk.wwid, "I12"),
    fact("others of this wwid", seen.twins.join(", ") || "none", seen.twins.length === 0, "I12"),
    same("serial", device.serial, disk.serial),
    same("model", device.model, disk.model),
    same("size", `${device.sizeBytes} bytes`, `${disk.sizeBytes} bytes`),
    same("SCSI address", device.scsiAddress, disk.scsiAddress),
  ];
}

/** The kernel's word for whether it still sends I/O there. */
export function stateFact(device: BlockDevice | undefined, wanted: "running" | "offline"): GuardFact {
  return fact("state", device?.state || "not told", device?.state === wanted, "");
}

function same(name: string, seen: string, planned: string): GuardFact {
  return fact(name, seen || "none", seen === planned, "I12");
}
