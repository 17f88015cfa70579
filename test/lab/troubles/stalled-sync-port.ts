/**
 * A stalled resync that comes back after a cut: data packets of the DRBD port are lost on both nodes,
 * whatever the connection. Whoever heals must notice that it did not help, and stop.
 */
import { waitForHealthy } from "../cluster/instance.js";
import type { InstanceDisk } from "../cluster/configuration.js";
import type { Lab } from "../lab.js";
import { addRules, BULK, removeRules } from "./packet-rules.js";
import { NEVER_GIVE_UP, standardResync, startResync } from "./resync.js";
import { standsStill } from "./stands-still.js";
import { diskOf, type Trouble } from "./trouble.js";

export const stalledSyncPort: Trouble = {
  name: "stalled-sync-port",
  about: "a resync stands still, and again after a cut",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const rules = ["sport", "dport"].map((end) => `-p tcp --${end} ${String(disk.port)} ${BULK} -j DROP`);
    const [primary, secondary] = nodesOf(lab, disk);
    await addRules(secondary, "LAB-PORT", rules);
    await addRules(primary, "LAB-PORT", rules);
    return startResync(lab, disk, { rateKib: 1024, net: NEVER_GIVE_UP, onceSyncing: standsStill() });
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    await Promise.all(nodesOf(lab, disk).map((node) => removeRules(node, "LAB-PORT")));
    await standardResync(lab, disk);
    await waitForHealthy(lab, disk);
  },
};

function nodesOf(lab: Lab, disk: InstanceDisk) {
  return [lab.node(disk.primary.node), lab.node(disk.secondary.node)] as const;
}
