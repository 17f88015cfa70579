/** Readings that began now, of the acting node and of every peer: what the agent's guard wants to see (I7, I14). */
import { explain, Source, type Action, type Clock, type DrbdEnd, type PlanStep } from "@vigie/proto";
import type { Gateway, ObservedAt } from "../gateway/gateway.js";
import type { ClusterView } from "../view/cluster-view.js";
import { asksGenerations, endsWithPeers, peerReport, withPeers } from "./action-facts.js";
import { masterOf } from "./conditions/ganeti.js";

const RETRY_MS = 1_000;
export const UNREACHABLE_LIMIT_MS = 90_000; // longer than any cut lives: then the kernel has ended it

export interface FactsParts {
  readonly clock: Clock;
  readonly gateway: Pick<Gateway, "observe">;
  readonly view: () => ClusterView;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface FreshFacts {
  readonly node: string;
  readonly own: ObservedAt;
  readonly action: (nowMs: number) => Action | undefined; // with the peers' reports
}

/** @returns undefined: not every agent answered within 90 s */
export async function freshFacts(
  parts: FactsParts,
  step: PlanStep,
  givenUp: () => boolean,
): Promise<FreshFacts | "given up" | undefined> {
  const { clock } = parts;
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < UNREACHABLE_LIMIT_MS) {
    if (givenUp()) return "given up";
    try {
      return await readOnce(parts, step);
    } catch (error) {
      parts.log("run.facts-missing", { step: step.id, reason: explain(error) });
    }
    await clock.sleep(RETRY_MS);
  }
  return undefined;
}

/** @throws VigieError UNAVAILABLE */
async function readOnce({ clock, gateway, view }: FactsParts, step: PlanStep): Promise<FreshFacts> {
  const askedSinceMs = clock.monotonicMs();
  const { action } = step;
  const node = nodeOf(view(), step);
  const ends = action === undefined ? [] : endsWithPeers(action);
  if (action !== undefined && asksGenerations(action)) await Promise.all(ends.map(askGeneration));
  const [own, ...others] = await Promise.all([
    gateway.observe(node, Source.PROC_DRBD),
    ...ends.map((end) => gateway.observe(end.peerNode, Source.PROC_DRBD)),
  ]);
  const filled = (nowMs: number): Action | undefined =>
    action === undefined
      ? undefined
      : withPeers(
          action,
          ends.map((end, i) => peerReport(end, others[i] ?? own, view(), nowMs, askedSinceMs)),
        );
  return { node, own, action: filled };

  function askGeneration({ peerNode, peerMinor }: DrbdEnd): Promise<ObservedAt> {
    return gateway.observe(peerNode, Source.DRBD_GENERATIONS, { minor: peerMinor });
  }
}

/** A gnt-* command goes to the node that is master now, which is not always the one of the plan. */
export function nodeOf(view: ClusterView, { node }: PlanStep): string {
  return node === "" ? masterOf(view) : node;
}
