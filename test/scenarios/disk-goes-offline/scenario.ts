import { DiskState } from "@vigie/proto";
import { diskNamed } from "../../simulator/node-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a disk that goes offline is told within three seconds, with the disks that lose their copy",
  play: async ({ cluster, story, pass }) => {
    const node = cluster.world.nodes.get("h2.sim.example");
    if (node !== undefined) diskNamed(node, "sda").state = "offline";
    story.note("sda of h2 goes offline");
    await pass(2);
    diskOf(cluster, "web1").ends[1].disk = DiskState.DISKLESS;
    story.note("DRBD detaches from it");
    await pass(20);
  },
};
