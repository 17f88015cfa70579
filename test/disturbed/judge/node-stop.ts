/** I33 on the node: where /etc/vigie/stop has been for a second, no command of an action runs but what takes a cut back. */
import type { World } from "../../simulator/world.js";
import type { Watch } from "./judge.js";

const WITHIN_MS = 1_000;
const TAKES_AWAY = /tables .*-[DFX] |^echo (?:-|\/)|watcher continue|> \/proc\/net\/xt_recent/;

export function watchNodeStop(world: World): Watch {
  const sinceMs = new Map<string, number>();
  return {
    look: () => {
      for (const { name, extraFiles } of world.nodes.values()) {
        if (!extraFiles.has("/etc/vigie/stop")) sinceMs.delete(name);
        else if (!sinceMs.has(name)) sinceMs.set(name, world.clock.monotonicMs());
      }
      return [];
    },
    runs: ({ node, argv }) => {
      const forMs = world.clock.monotonicMs() - (sinceMs.get(node) ?? Number.POSITIVE_INFINITY);
      const line = argv.join(" ");
      if (!(forMs > WITHIN_MS) || TAKES_AWAY.test(line)) return [];
      return [`I33: ${node} ran ${line}, ${forMs} ms after it was stopped there`];
    },
  };
}
