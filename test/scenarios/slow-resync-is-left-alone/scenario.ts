import { startResync } from "../../simulator/drbd-model.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a resync that moves a few KiB a second is left alone",
  play: async ({ cluster, story, pass }) => {
    const disk = diskOf(cluster, "web1");
    disk.rateKibPerS = 4;
    startResync(disk, 40_000);
    await pass(120);
    story.note(`${Math.ceil(disk.outOfSyncKib)} KiB are left, and nobody touched it`);
  },
};
