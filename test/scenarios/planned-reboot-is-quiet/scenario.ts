import { comeBack, watcherRuns } from "../../simulator/reboot.js";
import { goesAway, H3, isDone, tell } from "../planned-reboot.js";
import type { Scenario } from "../scenario.js";

export const scenario: Scenario = {
  title: "a planned reboot: the node goes, comes back and resyncs, and nobody is told anything",
  listens: true,
  play: async (stage) => {
    const { cluster, story, pass, until } = stage;
    await goesAway(stage, 60);
    await pass(40);
    comeBack(cluster, H3);
    story.note("h3 boots");
    await pass(15);
    watcherRuns(cluster, H3);
    story.note("Ganeti's watcher activates its disks, and starts its guest");
    await until("all is over", () => cluster.orchestrator().desk.open().length === 0, 60);
    await isDone(stage);
    await pass(60);
    tell(stage);
  },
};
