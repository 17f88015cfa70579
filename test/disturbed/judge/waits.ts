/**
 * No run waits for ever without a word: in the calm each comes to its end, or asks a person, or says what it waits for; and
 * what has not changed for an hour is handed to a person.
 */
import { RunState, type Run } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import type { Watch } from "./judge.js";

const SILENT_MS = 600_000;
const AT_WORK: ReadonlySet<RunState> = new Set([RunState.RUNNING, RunState.WAITING, RunState.UNDOING]);

export function watchWaits(cluster: SimCluster): Watch {
  return {
    ended: async () => {
      if (!cluster.runs("orchestrator", cluster.world.master)) return [];
      const { executor, clock } = cluster.orchestrator();
      return executor
        .open()
        .filter(({ state }) => AT_WORK.has(state))
        .filter((run) => isSilent(run, clock.wallUnixMs()))
        .map((run) => `a run waits silently: ${run.state} ${run.plan?.runbook} ${run.events.at(-1)?.stepId}`);
    },
  };
}

function isSilent({ progress, events }: Run, wallUnixMs: number): boolean {
  const quietMs = wallUnixMs - (events.at(-1)?.unixMs ?? 0);
  return quietMs > SILENT_MS && (progress?.text ?? "") === "";
}
