/**
 * I33 on the node: where /etc/vigie/stop has been for a second, or an agent has been told of a stop, no command of an
 * action runs but what takes a cut back. Told it is within moments, wherever the orchestrator and the agent live and hear
 * each other.
 */
import type { SimCluster } from "../../simulator/cluster.js";
import type { Faults } from "../faults.js";
import { hearsOrchestrator, TOLD_WITHIN_MS } from "./hears.js";
import type { Watch } from "./judge.js";

const WITHIN_MS = 1_000;
const SESSION_WITHIN_MS = 25_000; // an agent dials again within ten seconds, after it noticed
const TAKES_AWAY = /tables .*-[DFX] |^echo (?:-|\/)|watcher continue|> \/proc\/net\/xt_recent/;

export function watchNodeStop(cluster: SimCluster, faults: Faults): Watch {
  const { world } = cluster;
  const forbiddenMs = new Map<string, number>(); // node → since when its file is there
  const hearsMs = new Map<string, number>(); // node → since when it hears the orchestrator
  let stoppedMs: number | undefined;
  return {
    confirmed: ({ what }) => {
      if (what === "stopped") stoppedMs ??= world.clock.monotonicMs();
      if (what === "released") stoppedMs = undefined;
    },
    look: () => {
      const nowMs = world.clock.monotonicMs();
      for (const { name, extraFiles } of world.nodes.values()) {
        if (!extraFiles.has("/etc/vigie/stop")) forbiddenMs.delete(name);
        else if (!forbiddenMs.has(name)) forbiddenMs.set(name, nowMs);
        if (!hearsOrchestrator(cluster, faults, name)) hearsMs.delete(name);
        else if (!hearsMs.has(name)) hearsMs.set(name, nowMs);
      }
      return [];
    },
    runs: ({ node, argv, begunMs: sinceMs }) => {
      const line = argv.join(" ");
      if (TAKES_AWAY.test(line)) return [];
      const ofFileMs = sinceMs - (forbiddenMs.get(node) ?? sinceMs);
      const toldMs = sinceMs - (stoppedMs ?? sinceMs);
      const hearsForMs = sinceMs - (hearsMs.get(node) ?? sinceMs);
      return [
        ...(ofFileMs > WITHIN_MS
          ? [`I33: ${node} ran ${line}, ${ofFileMs} ms after it was stopped there`]
          : []),
        ...(toldMs > TOLD_WITHIN_MS && hearsForMs > toldMs + SESSION_WITHIN_MS
          ? [`I33: ${node} ran ${line}, ${toldMs} ms after everything was stopped`]
          : []),
      ];
    },
  };
}
