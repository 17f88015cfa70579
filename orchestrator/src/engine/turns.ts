/**
 * Turns at what can serve only a few at once. The firewall commands of a node share one lock, and a cut needs about
 * twenty of them while the peer's report is good for two seconds (I14): thirty cuts at once are all too late.
 */
import type { PlanStep } from "@vigie/proto";

const AT_ONCE: Readonly<Record<string, number>> = { cutDrbdLink: 2, restoreDrbdLink: 2 };

export interface Turns {
  /** @returns undefined: others are at work there; else what ends this turn */
  readonly take: (step: PlanStep) => (() => void) | undefined;
}

export function createTurns(): Turns {
  const taken = new Map<string, number>();
  return {
    take: ({ node, action }) => {
      const kind = action?.kind?.$case ?? "";
      const atOnce = AT_ONCE[kind];
      if (atOnce === undefined) return () => undefined;
      const place = `${kind} ${node}`;
      const now = taken.get(place) ?? 0;
      if (now >= atOnce) return undefined;
      taken.set(place, now + 1);
      return () => void taken.set(place, (taken.get(place) ?? 1) - 1);
    },
  };
}
