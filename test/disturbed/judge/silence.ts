/**
 * Who fails over what a dead node ran does so only if that node was not heard again since it was planned: what it wrote
 * then nobody else has. Judged by who could hear whom, whatever any clock was set to.
 */
import type { Plan } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import { nodeOf, reaches } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";
import { ourStep } from "./our-step.js";

const HEARD_AFTER_MS = 25_000; // an agent dials again within ten seconds, and reports

interface Silent {
  readonly node: string;
  heardSinceMs: number | undefined;
  wasHeard: boolean;
}

export function watchSilence(
  cluster: SimCluster,
  planOf: (runId: string) => Plan | undefined,
  exposure: Exposure,
): Watch {
  const { world } = cluster;
  const silent = new Map<string, Silent>(); // by run
  return {
    planned: (runId) => {
      const plan = planOf(runId);
      const node = plan?.parameters.find(({ name }) => name === "node")?.value;
      if (plan?.runbook !== "disable-dead-node" || node === undefined || !world.nodes.has(node)) return;
      silent.set(runId, { node, heardSinceMs: undefined, wasHeard: false });
    },
    look: () => {
      const nowMs = world.clock.monotonicMs();
      for (const each of silent.values()) {
        each.heardSinceMs = isHeard(each.node) ? (each.heardSinceMs ?? nowMs) : undefined;
        const heardMs = nowMs - (each.heardSinceMs ?? nowMs);
        if (each.wasHeard || heardMs < HEARD_AFTER_MS) continue;
        each.wasHeard = true;
        exposure.count("dead nodes that were heard again");
      }
      return [];
    },
    placed: (instance, node, reasons) => {
      const runId = ourStep(reasons)?.runId ?? "";
      const was = silent.get(runId);
      return was?.wasHeard === true
        ? [`silence: ${runId} starts ${instance} on ${node}, and ${was.node} was heard since it was planned`]
        : [];
    },
  };

  function isHeard(node: string): boolean {
    const heard = nodeOf(world, node).up && reaches(world, node, world.master);
    return heard && cluster.runs("agent", node) && cluster.runs("orchestrator", world.master);
  }
}
