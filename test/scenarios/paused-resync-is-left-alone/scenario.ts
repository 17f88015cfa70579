import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a resync that somebody paused is left alone",
  play: async ({ cluster, story, pass }) => {
    const disk = diskOf(cluster, "web1");
    startResync(disk, 40_000);
    disk.ends[0].paused = true;
    await pass(60);
    story.note("nobody touched it");
  },
};
