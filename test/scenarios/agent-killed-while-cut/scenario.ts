import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "an agent killed while its cut stands: the kernel ends the cut, and the run goes on by looking",
  play: async ({ cluster, story, pass, until }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    const cuts = cluster.world.nodes.get("h1.sim.example")?.cuts;
    await until("the cut stands", () => cuts?.size === 1, 30);
    cluster.killAgent("h1.sim.example");
    story.note("the agent on h1 is killed");
    await until("the kernel ended the cut", () => cuts?.size === 0, 35);
    story.note("the cut is gone");
    cluster.startAgent("h1.sim.example");
    story.note("the agent on h1 starts again");
    await pass(90);
  },
};
