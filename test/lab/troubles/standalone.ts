/** One end gave its connection up: StandAlone there, WFConnection at the peer, which waits for ever. */
import { connect, disconnect, procDrbd, waitForMinor } from "../cluster/drbd.js";
import { waitForHealthy } from "../cluster/instance.js";
import { diskOf, sideOf, type Trouble } from "./trouble.js";

export const standalone: Trouble = {
  name: "standalone",
  about: "drbdsetup disconnect on one node (the primary): StandAlone there, WFConnection at its peer",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "primary");
    await disconnect(lab, disk, side);
    await waitForMinor(lab, side, "cs:StandAlone");
    return procDrbd(lab, side);
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    await connect(lab, disk, disk.primary);
    await connect(lab, disk, disk.secondary);
    await waitForHealthy(lab, disk);
  },
};
