import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "an orchestrator without a majority shows a stall and does nothing about it",
  play: async ({ cluster, story, pass }) => {
    cluster.killAgent("h3.sim.example");
    cluster.killAgent("h2.sim.example");
    await pass(10);
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await pass(30);
    story.note(`cuts that stand: ${cluster.world.nodes.get("h1.sim.example")?.cuts.size}`);
  },
};
