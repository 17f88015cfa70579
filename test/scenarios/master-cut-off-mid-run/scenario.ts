import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title:
    "an orchestrator whose node is cut off in the middle of a run sends nothing more, and the cut ends by itself",
  play: async ({ cluster, story, pass, until }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    const cuts = cluster.world.nodes.get("h1.sim.example")?.cuts;
    await until("the cut stands", () => cuts?.size === 1, 30);
    cluster.world.partitions.add("h1.sim.example h2.sim.example");
    cluster.world.partitions.add("h1.sim.example h3.sim.example");
    story.note("h1 is cut off from h2 and h3");
    await until("the cut is gone", () => cuts?.size === 0, 35);
    story.note("the cut is gone");
    await pass(30);
    cluster.world.partitions.clear();
    story.note("the network is back");
    await pass(90);
  },
};
