/** One end was detached from its volume by hand, and serves its data over the network. */
import { procDrbd, waitForMinor } from "../cluster/drbd.js";
import { activateDisks, waitForHealthy } from "../cluster/instance.js";
import { diskOf, sideOf, type Trouble } from "./trouble.js";

export const diskless: Trouble = {
  name: "diskless",
  about: "drbdsetup detach on one node (the secondary)",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "secondary");
    await lab.node(side.node).run(`drbdsetup detach ${String(side.minor)}`);
    await waitForMinor(lab, side, "cs:[A-Za-z]+ ro:[A-Za-z/]+ ds:Diskless/");
    return procDrbd(lab, side);
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    await activateDisks(lab, disk.instance);
    await waitForHealthy(lab, disk);
  },
};
