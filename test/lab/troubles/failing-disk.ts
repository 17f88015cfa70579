/** A disk that cannot read one place any more: the kernel logs it, and DRBD lets go of the volume that is there. */
import { procDrbd, waitForMinor } from "../cluster/drbd.js";
import { activateDisks, waitForHealthy } from "../cluster/instance.js";
import { diskOf, sideOf, type Trouble } from "./trouble.js";

const MEDIUM_ERRORS = "2"; // SDEBUG_OPT_MEDIUM_ERR: reads of medium_error_start and the next ten sectors fail
const OPTIONS = "/sys/bus/pseudo/drivers/scsi_debug/opts";
const START = "/sys/module/scsi_debug/parameters/medium_error_start";
const INTO_VOLUME_SECTORS = 4096; // 2 MiB

export const failingDisk: Trouble = {
  name: "failing-disk",
  about:
    "a place under one copy (the primary's) cannot be read: medium errors, and Diskless where it is Primary",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "primary");
    const isPrimary = side.node === disk.primary.node;
    const read = `dd if=${isPrimary ? side.device : disk.dataVolume} of=/dev/null bs=64k iflag=direct`;
    await lab.node(side.node).script(`set -e
start=$(dmsetup table ${disk.dataVolume} | awk '{ print $5 }')
echo $((start + ${String(INTO_VOLUME_SECTORS)})) > ${START}
echo ${MEDIUM_ERRORS} > ${OPTIONS}
${read} 2>/dev/null || true`); // a Primary reads on from its peer's copy
    if (isPrimary) await waitForMinor(lab, side, "cs:[A-Za-z]+ ro:[A-Za-z/]+ ds:Diskless/");
    return procDrbd(lab, side);
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "primary");
    await lab.node(side.node).run(`echo 0 > ${OPTIONS}`);
    await activateDisks(lab, disk.instance);
    await waitForHealthy(lab, disk);
  },
};
