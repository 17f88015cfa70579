/** Two nodes do not hear each other, while the rest of the cluster hears both. */
import { instanceDisk, instanceNames } from "../cluster/configuration.js";
import { waitForHealthy } from "../cluster/instance.js";
import type { Lab, LabNode } from "../lab.js";
import { addRules, removeRules } from "./packet-rules.js";
import type { Trouble, TroubleParams } from "./trouble.js";

export const networkCut: Trouble = {
  name: "network-cut",
  about: "no packet passes between two nodes (h2 and h3)",

  async make(lab, params) {
    const [one, other] = pair(lab, params);
    await addRules(one, "LAB-CUT", rules(other));
    await addRules(other, "LAB-CUT", rules(one));
    return `no packet passes between ${one.name} and ${other.name}`;
  },

  async mend(lab, params) {
    const cut = pair(lab, params);
    await Promise.all(cut.map((node) => removeRules(node, "LAB-CUT")));
    for (const name of await instanceNames(lab)) {
      const disk = await instanceDisk(lab, name);
      const isCut = [disk.primary, disk.secondary].every((side) =>
        cut.some((node) => node.name === side.node),
      );
      if (isCut) await waitForHealthy(lab, disk); // DRBD tries again every 10 s
    }
  },
};

function pair(lab: Lab, params: TroubleParams): readonly [LabNode, LabNode] {
  return [lab.node(params.node ?? "h2"), lab.node(params.peer ?? "h3")];
}

function rules(peer: LabNode): string[] {
  return [`-s ${peer.ip} -j DROP`, `-d ${peer.ip} -j DROP`];
}
