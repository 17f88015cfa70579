import { standAlone } from "../../simulator/world.js";
import { diskOf } from "../disk-of.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a StandAlone pair is shown and left to a person",
  play: async ({ cluster, pass }) => {
    standAlone(diskOf(cluster, "web1"));
    await pass(60);
  },
};
