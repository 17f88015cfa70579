/**
 * May this disk get no more I/O? DRBD drops every minor on it then, last copy or not (F3): so it is a detach of all
 * of them at once, and each must be fit for it, or nothing is done (I2).
 */
import type { DiskIdentity, GuardFact, PhysicalVolume, SetDiskOffline } from "@vigie/proto";
import { contentFacts, partsToLookAt, usersFact, type DiskUsers, type PartContent } from "./disk-content.js";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { isVolumeOf, useOf, volumeUuid, type VolumesSeen } from "./disk-volumes.js";
import { fact, unknownFact } from "./fact.js";
import { hostUseFacts, type HostUse } from "./host-use.js";
import { judgeGoesOffline, type SeenForLoss } from "./lose-copy.js";

/** Whose word `pvs` and `volumes` are. That LVM cannot be asked is not the same as that it does not list the disk. */
export interface LvmWord {
  readonly word: "listed" | "listed before" | "not listed" | "unknown";
  readonly because: string; // why it cannot be asked now; empty where it can
}

export interface SeenForOffline extends DiskSeen {
  readonly volumes: VolumesSeen | undefined;
  readonly volumesUnknownBecause: string; // why it is undefined
  /** PVs on the disk or its partitions, by LVM. */
  readonly pvs: readonly PhysicalVolume[];
  readonly lvm: LvmWord;
  readonly contents: readonly PartContent[]; // of partsToLookAt()
  readonly users: DiskUsers;
  readonly hostUse: HostUse;
  readonly minors: readonly SeenForLoss[]; // of SetDiskOffline.minors, in their order
}

export function judgeDiskOffline(params: SetDiskOffline, seen: SeenForOffline): GuardFact[] {
  const { disk } = params;
  const identity = [...diskFacts(disk, seen), stateFact(seen.device, "running"), ...pvFacts(params, seen)];
  if (seen.volumes === undefined || disk === undefined)
    return [...identity, unknownFact("what stands on it", seen.volumesUnknownBecause)];
  return [
    ...identity,
    ...useFacts(params, seen, seen.volumes),
    ...hostUseFacts(seen.volumes.stack, seen.hostUse),
    ...contentFacts(seen.volumes.stack, partsToLookAt(seen.volumes.stack, disk, seen.pvs), seen.contents),
    usersFact(seen.users),
    ...minorFacts(params, seen),
  ];
}

function pvFacts({ disk }: SetDiskOffline, seen: SeenForOffline): GuardFact[] {
  const { pvs, device, lvm, volumes } = seen;
  const errors = device?.ioErrors ?? 0;
  switch (lvm.word) {
    case "unknown":
      return [unknownFact("physical volume", `LVM: ${lvm.because}`)];
    case "not listed": // a disk that cannot be read any more: then the kernel's errors must say so
      return [
        fact("physical volume", `not listed by LVM; ${errors} I/O errors of the disk`, errors > 0, "I12"),
      ];
    case "listed":
      return [listedFact(disk, pvs)];
    case "listed before":
      return [listedFact(disk, pvs), agreementFact(disk, lvm.because, volumes)];
  }
}

function listedFact(disk: DiskIdentity | undefined, pvs: readonly PhysicalVolume[]): GuardFact {
  const [pv] = pvs;
  const holds =
    pvs.length === 1 &&
    pv?.uuid === disk?.pvUuid &&
    pv?.pvName === disk?.pvName &&
    pv?.vgName === disk?.vgName;
  const value = pvs.map(({ pvName, uuid, vgName }) => `${pvName} ${uuid} of ${vgName}`).join(", ");
  return fact("physical volume", value || "none", holds, "I12");
}

/** What LVM said last is believed where the kernel knows the same volumes; one that is not active is a stray by itself. */
function agreementFact(
  disk: DiskIdentity | undefined,
  because: string,
  seen: VolumesSeen | undefined,
): GuardFact {
  const said = new Set((seen?.volumes ?? []).map(({ uuid }) => uuid.replaceAll("-", "")));
  const unknown = (seen?.stack.devices ?? []).filter(
    (device) => isVolumeOf(device, disk?.vgUuid ?? "") && !said.has(volumeUuid(device)),
  );
  const value = `LVM: ${because}; its last word knows ${unknown.length === 0 ? "all" : `no ${unknown[0]?.dmName}`}`;
  return fact(
    "volumes by LVM's last word",
    value,
    seen?.volumes !== undefined && unknown.length === 0,
    "I11",
  );
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
