/**
 * The UUID that a physical volume of ours gets: it names the run and the step that made it, so that after a crash
 * between `pvcreate` and `vgcreate` our own half-done work is told from somebody's disk (I12, I22).
 */
import { createHash } from "node:crypto";
import type { AdoptDisk, PhysicalVolume } from "@vigie/proto";

/** As LVM writes one: 32 letters and digits, in groups of 6-4-4-4-4-4-6. */
export function ownPvUuid(runId: string, stepId: string): string {
  const digits = createHash("sha256").update(`vigie:${runId}:${stepId}`).digest("hex");
  return digits.slice(0, 32).replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, "$1-$2-$3-$4-$5-$6-$7");
}

/** "/dev/sdb", "/dev/sdb1", "/dev/nvme0n1p1": where the physical volume is to be. */
export function pvPath({ disk, partition }: AdoptDisk): string {
  const path = `/dev/${(disk?.name ?? "").replaceAll("!", "/")}`;
  if (!partition) return path;
  return /\d$/.test(path) ? `${path}p1` : `${path}1`;
}

/** An earlier try of this very step made it, and did not come to put it into its group. */
export function isHalfDone(pv: PhysicalVolume, params: AdoptDisk, uuid: string): boolean {
  return pv.uuid === uuid && pv.pvName === pvPath(params) && pv.vgName === "";
}
