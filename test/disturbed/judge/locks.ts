/**
 * I9: of two runs that hold the same disk, instance or node, and that one orchestrator has, one only is at work: nothing
 * of the second is sent before the first has ended, whatever the clocks say. Heals may join a run that waits.
 */
import { RunEventKind, type Plan, type RunEvent } from "@vigie/proto";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";
import { takesBack } from "./stop.js";

export function watchLocks(
  planOf: (runId: string) => Plan | undefined,
  rowsOf: (runId: string) => readonly RunEvent[],
  exposure: Exposure,
): Watch {
  const atWork = new Map<string, string>(); // run → the node whose orchestrator sent of it last
  return {
    row: (runId, { kind }) => {
      if (kind === RunEventKind.ENDED) atWork.delete(runId);
    },
    sent: (request, from) => {
      const { runId, stepId, recall } = request;
      if (recall || takesBack(request)) return [];
      atWork.set(runId, from);
      const plan = planOf(runId);
      if (plan === undefined || plan.mayJoinWaiting || atWork.size === 1) return [];
      const own = new Set(plan.locks);
      return [...atWork]
        .filter(([other, by]) => other !== runId && by === from && isApproved(other))
        .flatMap(([other]) => {
          exposure.count("sends beside another run");
          const { locks = [], mayJoinWaiting = false } = planOf(other) ?? {};
          const both = mayJoinWaiting ? undefined : locks.find((lock) => own.has(lock));
          return both === undefined
            ? []
            : [`I9: ${stepId} of ${runId} was sent, and ${other} holds ${both}, which it needs`];
        });
    },
  };

  function isApproved(runId: string): boolean {
    return rowsOf(runId).some(({ kind }) => kind === RunEventKind.APPROVED);
  }
}
