/** A disk goes offline, as a controller that lost it does; the next write fails and DRBD lets go of it. */
import { procDrbd, waitForMinor } from "../cluster/drbd.js";
import { activateDisks, waitForHealthy } from "../cluster/instance.js";
import { diskOf, sideOf, type Trouble } from "./trouble.js";

const STATE = "/sys/block/sda/device/state";

/** The same bytes again: a write for the kernel, no change for the guest. */
export function rewriteFirstBlock(device: string): string {
  const block = "bs=4k count=1 status=none";
  return `dd if=${device} of=/run/lab-block ${block} iflag=direct && dd if=/run/lab-block of=${device} ${block} oflag=direct conv=notrunc`;
}

export const diskOffline: Trouble = {
  name: "disk-offline",
  about: "the disk of one node (the secondary) is offline and was written to: Diskless there",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "secondary");
    await lab.node(side.node).run(`echo offline > ${STATE}`);
    await lab.node(disk.primary.node).run(rewriteFirstBlock(disk.primary.device));
    await waitForMinor(lab, side, "cs:[A-Za-z]+ ro:[A-Za-z/]+ ds:Diskless/");
    return procDrbd(lab, side);
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "secondary");
    await lab.node(side.node).run(`grep -q running ${STATE} || echo running > ${STATE}`);
    await activateDisks(lab, disk.instance);
    await waitForHealthy(lab, disk);
  },
};
