/**
 * May this disk become a physical volume? Only a blank one: whatever is found on it may be somebody's, but for what a
 * killed try of this very step made. It must be the disk that was planned, and not the one that it replaces (I12).
 */
import type { AdoptDisk, GuardFact, LvmFacts } from "@vigie/proto";
import type { DiskStack } from "../disk-stack.js";
import { isOwnPv, pvPath, type OwnMark } from "../own-mark.js";
import { claimFact, usersFact, type DiskUsers, type PartContent } from "./disk-content.js";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { fact, unknownFact } from "./fact.js";
import { hostUseFacts, type HostUse } from "./host-use.js";

export interface SeenForAdoption extends DiskSeen {
  readonly stack: DiskStack | string; // a text: why it is not known
  readonly use: HostUse;
  readonly signatures: readonly string[] | string; // what wipefs finds: "ext4 at 0x438"; a text: it cannot say
  readonly claims: readonly Pick<PartContent, "name" | "claim">[]; // of each part of the stack
  readonly users: DiskUsers;
  readonly tableId: string; // of its partition table; empty: there is none, or it is not known
  readonly lvm: { readonly facts: LvmFacts; readonly damaged: readonly string[] } | string;
}

/** What may be found on it: all that a killed try of this step can have made, and nothing else. */
interface Allowed {
  readonly partitions: readonly string[]; // the kernel's names
  readonly signatures: readonly string[]; // wipefs' types
}

const BLANK: Allowed = { partitions: [], signatures: [] };

export function judgeAdoption(params: AdoptDisk, seen: SeenForAdoption, own: OwnMark): GuardFact[] {
  const { disk, replacesWwid } = params;
  const wwid = seen.device?.wwid ?? "";
  return [
    ...diskFacts(disk, seen),
    stateFact(seen.device, "running"),
    fact("wwid of the disk that it replaces", replacesWwid || "none", wwid !== replacesWwid, "I12"),
    ...standingFacts(seen, allowedOn(params, seen, own)),
    ...lvmFacts(params, seen, own),
  ];
}

function allowedOn(params: AdoptDisk, { lvm, tableId }: SeenForAdoption, own: OwnMark): Allowed {
  const pvs = typeof lvm === "string" ? [] : lvm.facts.physicalVolumes;
  if (params.partition)
    return tableId === own.tableId
      ? { partitions: [kernelName(pvPath(params))], signatures: ["dos", "gpt", "PMBR"] }
      : BLANK;
  return pvs.some((pv) => isOwnPv(pv, params, own)) ? { partitions: [], signatures: ["LVM2_member"] } : BLANK;
}

/** "/dev/cciss/c0d0p1" is "cciss!c0d0p1". */
function kernelName(path: string): string {
  return path.replace("/dev/", "").replaceAll("/", "!");
}

function notAsked(name: string): Pick<PartContent, "name" | "claim"> {
  return { name, claim: "not asked" };
}

function standingFacts(
  { stack, use, signatures, claims, users }: SeenForAdoption,
  allowed: Allowed,
): GuardFact[] {
  if (typeof stack === "string") return [unknownFact("what stands on it", stack)];
  const partitions = stack.parts.slice(1).map(({ name }) => name);
  const above = stack.devices.map(({ name, dmName }) => dmName || name);
  return [
    fact("partitions", partitions.join(", ") || "none", isWithin(partitions, allowed.partitions), "I12"),
    fact("what stands on it", above.join(", ") || "nothing", above.length === 0, "I12"),
    signatureFact(signatures, allowed.signatures),
    ...hostUseFacts(stack, use),
    ...stack.parts.map(({ name }) => claimFact(claims.find((each) => each.name === name) ?? notAsked(name))),
    usersFact(users),
  ];
}

function signatureFact(signatures: readonly string[] | string, allowed: readonly string[]): GuardFact {
  if (typeof signatures === "string") return unknownFact("signatures", signatures);
  const types = signatures.map((found) => found.split(" ")[0] ?? "");
  return fact("signatures", signatures.join(", ") || "none", isWithin(types, allowed), "I12");
}

function isWithin(found: readonly string[], allowed: readonly string[]): boolean {
  return found.every((name) => allowed.includes(name));
}

function lvmFacts(params: AdoptDisk, { lvm }: SeenForAdoption, own: OwnMark): GuardFact[] {
  if (typeof lvm === "string") return [unknownFact("volume groups", lvm)];
  const { disk, vgName } = params;
  const paths = [`/dev/${disk?.name}`, `/dev/${disk?.name}1`, `/dev/${disk?.name}p1`];
  const pvs = lvm.facts.physicalVolumes.filter(({ pvName }) => paths.includes(pvName));
  const strange = pvs.filter((pv) => !isOwnPv(pv, params, own));
  const group = lvm.facts.volumeGroups.find((each) => each.vgName === vgName);
  const missing = group?.missingPvCount ?? 0;
  return [
    fact(
      "physical volume on it",
      pvs.map(({ pvName }) => pvName).join(", ") || "none",
      strange.length === 0,
      "I12",
    ),
    fact(
      `volume group ${vgName}`,
      group === undefined ? "created" : `extended; ${missing} of its volumes missing`,
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
