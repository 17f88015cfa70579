import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title:
    "a resync that stalls on its old connection is cut, comes back and moves, with nobody at the keyboard",
  play: async ({ cluster, story, pass, until }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    await pass(5);
    disk.blackhole = "this-connection";
    story.note("bulk data of web1's connection is lost");
    await until("the resync is done", () => disk.outOfSyncKib === 0, 90);
    await pass(10);
  },
};
