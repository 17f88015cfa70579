import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "with the policy at ask, a stall is planned and waits for a person",
  config: { policy: { stalled_sync: "ask" } },
  play: async ({ cluster, story, pass }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await pass(40);
    story.note(`cuts that stand: ${cluster.world.nodes.get("h1.sim.example")?.cuts.size}`);
  },
};
