/**
 * Is this volume a snapshot that still keeps the data of that volume? lv_attr, lvs(8): its first character is the type
 * (`s`; `S` while it is merged back), its fifth the state (`a`; `I` when its store is full and it keeps nothing more),
 * its ninth the health. Only what is all well is one (I11).
 */
import type { LogicalVolume } from "@vigie/proto";

export type Snapshot = Pick<LogicalVolume, "vgName" | "lvName" | "attr" | "origin">;

const TYPE_AT = 0;
const STATE_AT = 4;
const HEALTH_AT = 8; // since LVM 2.02.99; an older one has fewer characters

/**
 * @param dataLv "kvmvg/1-2.disk0_data"
 * @returns empty: it is
 */
export function whyNoSnapshotOf(dataLv: string, { vgName, attr, origin }: Snapshot): string {
  const [type, state, health = "-"] = [TYPE_AT, STATE_AT, HEALTH_AT].map(
    (at) => attr.charAt(at) || undefined,
  );
  if (type === "S") return "is being merged back";
  if (type !== "s") return "is no snapshot";
  if (`${vgName}/${origin}` !== dataLv) return `is a snapshot of ${origin || "no volume that LVM names"}`;
  if (state === "I") return "is invalid: its store is full";
  if (state !== "a") return `is not active (lv_attr ${attr})`;
  return health === "-" ? "" : `is not whole (lv_attr ${attr})`;
}
