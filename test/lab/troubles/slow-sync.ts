/** A resync that is slow but moves: some three minutes for 40 MiB. It is to be left alone. */
import { waitForHealthy } from "../cluster/instance.js";
import { standardResync, startResync } from "./resync.js";
import { diskOf, type Trouble } from "./trouble.js";

export const slowSync: Trouble = {
  name: "slow-sync",
  about: "a resync at 250 KiB/s, slow but moving: no reason to act",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    return startResync(lab, disk, { rateKib: 250, onceSyncing: "sleep 2; cat /proc/drbd" });
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    await standardResync(lab, disk);
    await waitForHealthy(lab, disk);
  },
};
