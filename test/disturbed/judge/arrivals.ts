/** Since when each guest runs on its node: what has just come there nobody can know yet. */
import type { World } from "../../simulator/world.js";
import type { Watch } from "./judge.js";

export interface Arrivals extends Watch {
  /** Guests that have run on this node since then or before; monotonic ms. */
  readonly onSince: (node: string, monotonicMs: number) => string[];
}

export function watchArrivals(world: World): Arrivals {
  const arrivedMs = new Map<string, Map<string, number>>(); // node → guest → when
  return {
    look: () => {
      for (const { name, guests } of world.nodes.values()) {
        const known = arrivedMs.get(name) ?? new Map<string, number>();
        arrivedMs.set(name, known);
        for (const guest of guests) if (!known.has(guest)) known.set(guest, world.clock.monotonicMs());
        if (known.size === guests.size) continue;
        for (const guest of known.keys()) if (!guests.has(guest)) known.delete(guest);
      }
      return [];
    },
    onSince: (node, monotonicMs) =>
      [...(world.nodes.get(node)?.guests ?? [])].filter(
        (guest) => (arrivedMs.get(node)?.get(guest) ?? Number.POSITIVE_INFINITY) <= monotonicMs,
      ),
  };
}
