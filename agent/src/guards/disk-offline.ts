/**
 * May this disk get no more I/O? DRBD drops every minor on it then, last copy or not (F3): so it is a detach of all
 * of them at once, and each must be fit for it, or nothing is done (I2).
 */
import type { GuardFact, PhysicalVolume, SetDiskOffline } from "@vigie/proto";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { useOf, type VolumesSeen } from "./disk-volumes.js";
import { fact } from "./fact.js";
import { hostUseFacts, type HostUse } from "./host-use.js";
import { judgeGoesOffline, type SeenForLoss } from "./lose-copy.js";

export interface SeenForOffline extends DiskSeen {
  readonly volumes: VolumesSeen | undefined;
  readonly volumesUnknownBecause: string; // why it is undefined
  /** PVs on the disk or its partitions, by LVM. */
  readonly pvs: readonly PhysicalVolume[];
  readonly hostUse: HostUse;
  readonly minors: readonly SeenForLoss[]; // of SetDiskOffline.minors, in their order
}

export function judgeDiskOffline(params: SetDiskOffline, seen: SeenForOffline): GuardFact[] {
  const { disk } = params;
  const identity = [...diskFacts(disk, seen), stateFact(seen.device, "running"), pvFact(params, seen)];
  if (seen.volumes === undefined)
    return [...identity, fact("what stands on it", seen.volumesUnknownBecause, false, "I11")];
  return [
    ...identity,
    ...useFacts(params, seen, seen.volumes),
    ...hostUseFacts(seen.volumes.stack, seen.hostUse),
    ...minorFacts(params, seen),
  ];
}

/** A disk that cannot be read any more is in no list of LVM's: then the kernel's errors must say so. */
function pvFact({ disk }: SetDiskOffline, { pvs, device, volumes }: SeenForOffline): GuardFact {
  if (volumes?.volumes === undefined) {
    const errors = device?.ioErrors ?? 0;
    return fact("physical volume", `not listed by LVM; ${errors} I/O errors of the disk`, errors > 0, "I12");
  }
  const [pv] = pvs;
  const holds =
    pvs.length === 1 &&
    pv?.uuid === disk?.pvUuid &&
    pv?.pvName === disk?.pvName &&
    pv?.vgName === disk?.vgName;
  const value = pvs.map(({ pvName, uuid, vgName }) => `${pvName} ${uuid} of ${vgName}`).join(", ");
  return fact("physical volume", value || "none", holds, "I12");
}

function useFacts({ disk, minors }: SetDiskOffline, seen: SeenForOffline, volumes: VolumesSeen): GuardFact[] {
  const diskOf = (minor: number) => seen.minors.find(({ own }) => own?.minor === minor)?.own?.disk;
  const { minors: found, strays } = useOf(volumes, disk?.vgUuid ?? "", minors, diskOf);
  const planned = [...new Set(minors.map(({ minor }) => minor))].sort((a, b) => a - b);
  const value = `${found.join(", ") || "none"}; planned: ${planned.join(", ") || "none"}`;
  return [
    fact("minors on it", value, found.join() === planned.join() && planned.length === minors.length, "I2"),
    fact("what else is on it", strays.join("; ") || "nothing", strays.length === 0, "I3"),
  ];
}

function minorFacts({ minors, peers }: SetDiskOffline, seen: SeenForOffline): GuardFact[] {
  return minors.flatMap((end, index) => {
    const own = seen.minors[index];
    if (own === undefined) return [fact(`minor ${end.minor}`, "not looked at", false, "I11")];
    const facts = judgeGoesOffline(end, peers[index], own);
    return facts.map((each) => ({ ...each, name: `minor ${end.minor}: ${each.name}` }));
  });
}
