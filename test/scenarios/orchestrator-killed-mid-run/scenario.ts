import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "an orchestrator killed in the middle of a run takes it up where its log ends",
  play: async ({ cluster, story, pass, until }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await until("the cut stands", () => cluster.world.nodes.get("h1.sim.example")?.cuts.size === 1, 30);
    cluster.killOrchestrator();
    story.note("the orchestrator is killed");
    await pass(4);
    await cluster.startOrchestrator();
    story.note("the orchestrator starts again");
    story.follow();
    await until("the resync is done", () => disk.outOfSyncKib === 0, 120);
    await pass(10);
  },
};
