/**
 * May this disk become a physical volume? Only a blank one: whatever is found on it may be somebody's, but for what a
 * killed try of this very step made. It must be the disk that was planned, and not the one that it replaces (I12).
 */
import type { AdoptDisk, GuardFact, LvmFacts } from "@vigie/proto";
import type { DiskStack } from "../disk-stack.js";
import { isHalfDone, pvPath } from "../own-pv.js";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { fact } from "./fact.js";
import { hostUseFacts, type HostUse } from "./host-use.js";

export interface SeenForAdoption extends DiskSeen {
  readonly stack: DiskStack | string; // a text: why it is not known
  readonly use: HostUse;
  readonly signatures: readonly string[] | string; // what wipefs finds: "ext4 at 0x438"; a text: it cannot say
  readonly lvm: { readonly facts: LvmFacts; readonly damaged: readonly string[] } | string;
}

/** @param ownUuid of own-pv.ts, for the step that asks */
export function judgeAdoption(params: AdoptDisk, seen: SeenForAdoption, ownUuid: string): GuardFact[] {
  const { disk, replacesWwid } = params;
  const wwid = seen.device?.wwid ?? "";
  const halfDone = isBegun(params, seen, ownUuid);
  return [
    ...diskFacts(disk, seen),
    stateFact(seen.device, "running"),
    fact("wwid of the disk that it replaces", replacesWwid || "none", wwid !== replacesWwid, "I12"),
    ...(halfDone ? ownFacts(params, seen) : blankFacts(seen)),
    ...lvmFacts(params, seen, halfDone),
  ];
}

function isBegun(params: AdoptDisk, { lvm }: SeenForAdoption, ownUuid: string): boolean {
  return typeof lvm !== "string" && lvm.facts.physicalVolumes.some((pv) => isHalfDone(pv, params, ownUuid));
}

function blankFacts(seen: SeenForAdoption): GuardFact[] {
  return standingFacts(seen, [], []);
}

/** What a killed try leaves, and nothing else: wipefs of a partitioned disk shows its table. */
function ownFacts(params: AdoptDisk, seen: SeenForAdoption): GuardFact[] {
  const partition = pvPath(params).replace("/dev/", "").replaceAll("/", "!");
  return params.partition
    ? standingFacts(seen, [partition], ["dos", "gpt", "PMBR"])
    : standingFacts(seen, [], ["LVM2_member"]);
}

function standingFacts(
  { stack, use, signatures }: SeenForAdoption,
  ownPartitions: readonly string[],
  ownSignatures: readonly string[],
): GuardFact[] {
  if (typeof stack === "string") return [fact("what stands on it", stack, false, "I11")];
  const partitions = stack.parts.slice(1).map(({ name }) => name);
  const above = stack.devices.map(({ name, dmName }) => dmName || name);
  return [
    fact("partitions", partitions.join(", ") || "none", isWithin(partitions, ownPartitions), "I12"),
    fact("what stands on it", above.join(", ") || "nothing", above.length === 0, "I12"),
    signatureFact(signatures, ownSignatures),
    ...hostUseFacts(stack, use),
  ];
}

/** @param own types that may be there: "LVM2_member" */
function signatureFact(signatures: readonly string[] | string, own: readonly string[]): GuardFact {
  if (typeof signatures === "string") return fact("signatures", signatures, false, "I11");
  const types = signatures.map((found) => found.split(" ")[0] ?? "");
  return fact("signatures", signatures.join(", ") || "none", isWithin(types, own), "I12");
}

function isWithin(found: readonly string[], allowed: readonly string[]): boolean {
  return found.every((name) => allowed.includes(name));
}

function lvmFacts({ disk, vgName }: AdoptDisk, { lvm }: SeenForAdoption, halfDone: boolean): GuardFact[] {
  if (typeof lvm === "string") return [fact("volume groups", lvm, false, "I11")];
  const paths = [`/dev/${disk?.name}`, `/dev/${disk?.name}1`, `/dev/${disk?.name}p1`];
  const pvs = lvm.facts.physicalVolumes.filter(({ pvName }) => paths.includes(pvName));
  const group = lvm.facts.volumeGroups.find((each) => each.vgName === vgName);
  const missing = group?.missingPvCount ?? 0;
  const names = pvs.map(({ pvName }) => pvName).join(", ");
  return [
    halfDone
      ? fact("physical volume on it", `${names}, of an earlier try of this step`, pvs.length === 1, "I12")
      : fact("physical volume on it", names || "none", pvs.length === 0, "I12"),
    fact(
      `volume group ${vgName}`,
      group === undefined ? "made anew" : `extended; ${missing} of its volumes missing`,
      missing === 0,
      "",
    ),
    fact(
      "what LVM tells twice, or not whole",
      lvm.damaged.join(", ") || "nothing",
      lvm.damaged.length === 0,
      "I11",
    ),
  ];
}
