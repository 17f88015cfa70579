/**
 * May this disk become a physical volume? Only a blank one: whatever is found on it may be somebody's. It must be the
 * disk that was planned, and not the one that it replaces (I12).
 */
import type { AdoptDisk, GuardFact, LvmFacts } from "@vigie/proto";
import type { DiskStack } from "../disk-stack.js";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { fact } from "./fact.js";
import { hostUseFacts, type HostUse } from "./host-use.js";

export interface SeenForAdoption extends DiskSeen {
  readonly stack: DiskStack | string; // a text: why it is not known
  readonly use: HostUse;
  readonly signatures: readonly string[] | string; // what wipefs finds: "ext4 at 0x438"; a text: it cannot say
  readonly lvm: { readonly facts: LvmFacts; readonly damaged: readonly string[] } | string;
}

export function judgeAdoption(params: AdoptDisk, seen: SeenForAdoption): GuardFact[] {
  const { disk, replacesWwid } = params;
  const wwid = seen.device?.wwid ?? "";
  return [
    ...diskFacts(disk, seen),
    stateFact(seen.device, "running"),
    fact("wwid of the disk that it replaces", replacesWwid || "none", wwid !== replacesWwid, "I12"),
    ...blankFacts(seen),
    ...lvmFacts(params, seen),
  ];
}

function blankFacts({ stack, use, signatures }: SeenForAdoption): GuardFact[] {
  if (typeof stack === "string") return [fact("what stands on it", stack, false, "I11")];
  const partitions = stack.parts.slice(1).map(({ name }) => name);
  const above = stack.devices.map(({ name, dmName }) => dmName || name);
  const found = typeof signatures === "string" ? signatures : signatures.join(", ");
  return [
    fact("partitions", partitions.join(", ") || "none", partitions.length === 0, "I12"),
    fact("what stands on it", above.join(", ") || "nothing", above.length === 0, "I12"),
    fact("signatures", found || "none", found === "", typeof signatures === "string" ? "I11" : "I12"),
    ...hostUseFacts(stack, use),
  ];
}

function lvmFacts({ disk, vgName }: AdoptDisk, { lvm }: SeenForAdoption): GuardFact[] {
  if (typeof lvm === "string") return [fact("volume groups", lvm, false, "I11")];
  const paths = [`/dev/${disk?.name}`, `/dev/${disk?.name}1`, `/dev/${disk?.name}p1`];
  const pv = lvm.facts.physicalVolumes.find(({ pvName }) => paths.includes(pvName));
  const group = lvm.facts.volumeGroups.find((each) => each.vgName === vgName);
  const missing = group?.missingPvCount ?? 0;
  return [
    fact("physical volume on it", pv?.pvName ?? "none", pv === undefined, "I12"),
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
