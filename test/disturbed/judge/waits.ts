/**
 * No run waits for ever: in the calm each comes to its end, or asks a person; what has not changed for an hour is handed to
 * a person. Then the person ends it. So no run may be at work when more than an hour of calm is over.
 */
import { RunState } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import type { Watch } from "./judge.js";

const AT_WORK: ReadonlySet<RunState> = new Set([RunState.RUNNING, RunState.WAITING, RunState.UNDOING]);

export function watchWaits(cluster: SimCluster): Watch {
  return {
    ended: async () => {
      if (!cluster.runs("orchestrator", cluster.world.master)) return [];
      return cluster
        .orchestrator()
        .executor.open()
        .filter(({ state }) => AT_WORK.has(state))
        .map(
          ({ state, plan, events, progress }) =>
            `a run waits for ever: ${state} ${plan?.runbook} ${events.at(-1)?.stepId}: ${progress?.text || "without a word"}`,
        );
    },
  };
}
