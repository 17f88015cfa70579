import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "the kill switch on the node refuses every action there, and a person is asked",
  play: async ({ cluster, story, pass }) => {
    cluster.world.nodes.get("h1.sim.example")?.extraFiles.set("/etc/vigie/stop", "");
    story.note("somebody makes /etc/vigie/stop on h1");
    await pass(3);
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await pass(60);
  },
};
