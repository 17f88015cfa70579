/** Whether the agent of a node lives, and hears the master's orchestrator without delay. */
import type { SimCluster } from "../../simulator/cluster.js";
import { reaches } from "../../simulator/world.js";
import type { Faults } from "../faults.js";

/** From a confirmed stop until whoever hears the orchestrator without delay has acted on it. */
export const TOLD_WITHIN_MS = 3_000;

export function hearsOrchestrator(cluster: SimCluster, faults: Faults, node: string): boolean {
  const { world } = cluster;
  const { master } = world;
  const quiet = faults.network.lateMs === 0 && faults.of(node).slowMs === 0 && !faults.of(master).diskFull;
  const both = cluster.runs("agent", node) && cluster.runs("orchestrator", master);
  return quiet && both && (node === master || reaches(world, node, master));
}
