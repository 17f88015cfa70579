/** May a snapshot be made beside this volume? Only of the volume that the minor really has, and where there is room. */
import type { GuardFact, LvmFacts, SnapshotVolume } from "@vigie/proto";
import { endFacts, type EndSeen } from "./drbd-end.js";
import { fact, unknownFact } from "./fact.js";

export interface SeenForSnapshot extends EndSeen {
  readonly lvm: LvmFacts | string; // a text: why it is not known
}

export function judgeSnapshot(params: SnapshotVolume, seen: SeenForSnapshot): GuardFact[] {
  const { end, snapshotName, sizeKib } = params;
  const identity = endFacts(end, seen, { link: "perhaps" });
  if (typeof seen.lvm === "string") return [...identity, unknownFact("volumes", seen.lvm)];
  const [vgName = "", lvName = ""] = (end?.dataLv ?? "").split("/");
  const volumes = seen.lvm.logicalVolumes.filter((volume) => volume.vgName === vgName);
  const freeKib = Math.floor(
    (seen.lvm.volumeGroups.find((group) => group.vgName === vgName)?.freeBytes ?? 0) / 1024,
  );
  const there = volumes.some((volume) => volume.lvName === lvName);
  const taken = volumes.some((volume) => volume.lvName === snapshotName);
  return [
    ...identity,
    fact("its volume", there ? `${vgName}/${lvName}` : "not listed by LVM", there, "I13"),
    fact("volume of the snapshot's name", taken ? "there is one" : "none", !taken, ""),
    fact("free in its group", `${freeKib} KiB of ${sizeKib} KiB`, freeKib >= sizeKib, ""),
  ];
}
