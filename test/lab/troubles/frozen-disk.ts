/**
 * The peer's disk takes writes and never answers: its volume is suspended in the middle of a resync. The
 * peer goes on asking for blocks, so ns, nr and dr still rise for a while; only oos stands still at once.
 */
import { waitForHealthy } from "../cluster/instance.js";
import { standardResync, startResync } from "./resync.js";
import { standsStill } from "./stands-still.js";
import { diskOf, sideOf, type Trouble } from "./trouble.js";

export const frozenDisk: Trouble = {
  name: "frozen-disk",
  about: "the volume under one copy (the secondary's) is suspended during a resync",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "secondary");
    await startResync(lab, disk, { rateKib: 1024 });
    await lab.node(side.node).run(`dmsetup suspend --noflush --nolockfs ${disk.dataVolume}`);
    const minor = `minor=${String(disk.primary.minor)}`;
    return (await lab.node(disk.primary.node).script(`${minor}\n${standsStill("oos")}`)).stdout;
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    const side = sideOf(disk, params, "secondary");
    await lab.node(side.node).run(`dmsetup resume ${disk.dataVolume}`);
    await standardResync(lab, disk);
    await waitForHealthy(lab, disk);
  },
};
