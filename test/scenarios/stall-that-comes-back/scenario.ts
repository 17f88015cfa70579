import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a resync that stalls again after the cut is noticed and handed to a person",
  play: async ({ cluster, story, pass }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "port";
    story.note("bulk data of web1's port, whoever connects, is lost");
    await pass(120);
    story.note(`cuts that stand: ${cluster.world.nodes.get("h1.sim.example")?.cuts.size}`);
  },
};
