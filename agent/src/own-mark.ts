/**
 * What a disk is marked with when it is adopted: the UUID of its physical volume and the id of its partition table name
 * the run and the step that made them. So after a crash our own half-done work is told from somebody's disk, and gone
 * on with (I12, I22).
 */
import { createHash } from "node:crypto";
import type { AdoptDisk, PhysicalVolume } from "@vigie/proto";

const DOS_MAX_BYTES = 2 ** 41; // a table of this kind counts 2^32 sectors of 512 bytes

export interface OwnMark {
  /** As LVM writes one: 32 letters and digits, in groups of 6-4-4-4-4-4-6. */
  readonly pvUuid: string;
  /** "0x1234abcd" of a dos table, a UUID in small letters of a GPT. */
  readonly tableId: string;
  readonly table: "dos" | "gpt";
}

export function ownMark(params: AdoptDisk, runId: string, stepId: string): OwnMark {
  const digits = createHash("sha256").update(`vigie:${runId}:${stepId}`).digest("hex");
  const table = (params.disk?.sizeBytes ?? 0) > DOS_MAX_BYTES ? "gpt" : "dos";
  const uuid = digits.slice(32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  return {
    pvUuid: digits
      .slice(0, 32)
      .replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, "$1-$2-$3-$4-$5-$6-$7"),
    tableId: table === "gpt" ? uuid : `0x${digits.slice(32, 40)}`,
    table,
  };
}

/** "/dev/sdb", "/dev/sdb1", "/dev/nvme0n1p1": where the physical volume is to be. */
export function pvPath({ disk, partition }: AdoptDisk): string {
  const path = `/dev/${(disk?.name ?? "").replaceAll("!", "/")}`;
  if (!partition) return path;
  return /\d$/.test(path) ? `${path}p1` : `${path}1`;
}

/** An earlier try of this very step made it, and did not come to put it into its group. */
export function isOwnPv(pv: PhysicalVolume, params: AdoptDisk, { pvUuid }: OwnMark): boolean {
  return pv.uuid === pvUuid && pv.pvName === pvPath(params) && pv.vgName === "";
}
