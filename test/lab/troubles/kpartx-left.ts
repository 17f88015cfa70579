/** Somebody looked into a guest's disk with kpartx and forgot the partition maps: the device stays busy. */
import { diskOf, sideOf, type Trouble } from "./trouble.js";

export const kpartxLeft: Trouble = {
  name: "kpartx-left",
  about: "partition maps of the DRBD device are left on one node (the primary); writes a partition table",

  async make(lab, params) {
    const side = sideOf(await diskOf(lab, params), params, "primary");
    const node = lab.node(side.node);
    await node.script(`set -e
printf 'label: dos\\n,20M\\n,\\n' | sfdisk --quiet --no-reread --no-tell-kernel ${side.device}
kpartx -as ${side.device}`);
    return (await node.run("dmsetup info -c --noheadings -o name,uuid,open | grep part")).stdout;
  },

  async mend(lab, params) {
    const side = sideOf(await diskOf(lab, params), params, "primary");
    await lab.node(side.node).run(`kpartx -d ${side.device}`, { allowFailure: true });
  },
};
