/** LVM lists volumes of which a part is gone with a physical volume: they are no copy of anything. */
import type { LogicalVolume } from "@vigie/proto";

const HEALTH_AT = 8; // of lv_attr: lvs(8)

/** All that the volume lies on is there. */
export function isWhole({ attr, segments }: LogicalVolume): boolean {
  const isPartial = attr[HEALTH_AT] === "p";
  return (
    !isPartial && !segments.some(({ devices }) => devices.some((device) => device.startsWith("[unknown]")))
  );
}
