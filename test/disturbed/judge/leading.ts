/** I26: an orchestrator whose node is not the master for most nodes any more, by their own files, sends nothing. */
import type { World } from "../../simulator/world.js";
import type { Watch } from "./judge.js";

const KNOWN_AFTER_MS = 8_000; // a vote counts for 5 s, and the last look may be of a moment before

export function watchLeading(world: World): Watch {
  const lostSinceMs = new Map<string, number>(); // node
  return {
    look: () => {
      const voters = [...world.nodes.values()].filter(({ offline }) => !offline);
      for (const { name } of world.nodes.values()) {
        const votes = voters.filter(({ ssconfMaster = world.master }) => ssconfMaster === name).length;
        if (votes * 2 > voters.length) lostSinceMs.delete(name);
        else if (!lostSinceMs.has(name)) lostSinceMs.set(name, world.clock.monotonicMs());
      }
      return [];
    },
    sent: ({ stepId, runId }, from) => {
      const forMs = world.clock.monotonicMs() - (lostSinceMs.get(from) ?? Number.POSITIVE_INFINITY);
      return forMs > KNOWN_AFTER_MS
        ? [`I26: ${from} sent ${stepId} of ${runId}, and most nodes name another master since ${forMs} ms`]
        : [];
    },
  };
}
