/** Which nodes do not say that they have on their disks what a person has just set. */
import type { SsconfFacts } from "@vigie/proto";
import type { Orchestrator } from "../orchestrator.js";
import type { NodeView } from "../view/node-view.js";

const WAITS_MS = 3_000; // an agent reports at once when it has it
const LOOK_EVERY_MS = 100;

type Parts = Pick<Orchestrator, "clock" | "keeper">;

/** Waits until there is none, or for 3 s. */
export async function unawareOf(
  { clock, keeper }: Parts,
  isAware: (node: NodeView) => boolean,
): Promise<string[]> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const { ssconf, nodes } = keeper.view();
    const unaware = (ssconf?.nodeList ?? []).filter((name) => {
      const node = nodes.get(name);
      return isWanted(ssconf, name) && (node === undefined || !isAware(node));
    });
    if (unaware.length === 0 || clock.monotonicMs() - startedMs >= WAITS_MS) return unaware;
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** Ganeti counts on it. */
export function isWanted(ssconf: SsconfFacts | undefined, node: string): boolean {
  return ssconf?.offlineNodes.includes(node) !== true;
}
