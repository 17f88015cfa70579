import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a line that is not understood makes its minor unknown and blocks what would be done to it",
  play: async ({ cluster, story, pass }) => {
    const node = cluster.world.nodes.get("h2.sim.example");
    if (node !== undefined) node.damagedMinor = diskOf(cluster, "web1").ends[1].minor;
    story.note("the state of web1's minor on h2 is a word that nobody knows");
    await pass(5);
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await pass(60);
    story.note(`cuts that stand: ${cluster.world.nodes.get("h1.sim.example")?.cuts.size}`);
  },
};
