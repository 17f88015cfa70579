import { startResync } from "../../simulator/drbd-model.js";
import { ConnectionState } from "@vigie/proto";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a resync at 100.0 %, oos:0, that is never left is a stall, and is healed",
  play: async ({ cluster, pass, until }) => {
    const disk = diskOf(cluster, "web1");
    disk.neverLeaves = true;
    startResync(disk, 2_000);
    await until(
      "both ends are Connected again",
      () => !disk.neverLeaves && disk.ends[0].connection === ConnectionState.CONNECTED,
      60,
    );
    await pass(10);
  },
};
