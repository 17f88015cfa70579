/** A node loses its power. Its disk is memory, so mending also makes the lost volumes and mirrors them anew. */
import { instanceDisk, instanceNames } from "../cluster/configuration.js";
import { waitForCluster } from "../cluster/readiness.js";
import { rebuildCopy } from "../cluster/rebuild-copy.js";
import type { NodeName } from "../nodes.js";
import type { Trouble, TroubleParams } from "./trouble.js";

export const powerCut: Trouble = {
  name: "power-cut",
  about: "a node (h3) loses its power; its disk is empty when it comes back",

  async make(lab, params) {
    await lab.node(nodeOf(params)).powerCut();
    return `${nodeOf(params)} has no power`;
  },

  async mend(lab, params) {
    const node = nodeOf(params);
    if (lab.node(node).isPowered()) return;
    await lab.node(node).powerOn();
    await waitForCluster(lab);
    for (const name of await instanceNames(lab)) {
      const disk = await instanceDisk(lab, name);
      const side = [disk.primary, disk.secondary].find((candidate) => candidate.node === node);
      if (side !== undefined) await rebuildCopy(lab, disk, side);
    }
  },
};

function nodeOf(params: TroubleParams): NodeName {
  return params.node ?? "h3";
}
