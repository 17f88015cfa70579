import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "with the agent on the peer silent, a stall is not judged and nothing is cut",
  play: async ({ cluster, story, pass }) => {
    cluster.killAgent("h2.sim.example");
    story.note("the agent on h2 is killed");
    await pass(10);
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await pass(60);
    story.note(`cuts that stand: ${cluster.world.nodes.get("h1.sim.example")?.cuts.size}`);
  },
};
