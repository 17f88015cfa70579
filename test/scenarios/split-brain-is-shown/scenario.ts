import { Role } from "@vigie/proto";
import { standAlone } from "../../simulator/world.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a split brain is named as such and left to a person",
  play: async ({ cluster, pass }) => {
    const disk = diskOf(cluster, "web1");
    standAlone(disk);
    disk.ends[1].role = Role.PRIMARY;
    await pass(30);
  },
};
