/**
 * I15: nothing is sent on a premise that is false. A premise that has just become false cannot be known yet: it counts
 * once it has been false for longer than what is seen may be old at the send, and the reading before it.
 */
import { StepKind, type Condition, type Plan } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";
import { takesBack } from "./stop.js";
import { truthOf } from "./truth.js";

const FALSE_FOR_MS = 10_000; // 5 s of what was seen, a reading of up to 4 s, and the way
/** A node is heard again only when its agent has dialled again, after up to 10 s, and its peers' kernels are connected. */
const HEARD_AGAIN_MS = 25_000;

interface Watched {
  readonly condition: Condition;
  falseSinceMs: number | undefined;
}

export function watchPremises(
  cluster: SimCluster,
  planOf: (runId: string) => Plan | undefined,
  exposure: Exposure,
): Watch {
  const { clock } = cluster.world;
  const watched = new Map<string, Map<string, readonly Watched[]>>(); // run → step → its premises
  return {
    planned: (runId) => {
      const steps = planOf(runId)?.steps ?? [];
      const acts = steps.filter(({ kind }) => kind === StepKind.ACT);
      watched.set(
        runId,
        new Map(
          acts.map(({ id, premises }) => [
            id,
            premises.map((condition) => ({ condition, falseSinceMs: undefined })),
          ]),
        ),
      );
    },
    look: () => {
      for (const steps of watched.values())
        for (const premises of steps.values())
          for (const premise of premises) {
            const isFalse = truthOf(cluster, premise.condition) === false;
            premise.falseSinceMs = isFalse ? (premise.falseSinceMs ?? clock.monotonicMs()) : undefined;
          }
      return [];
    },
    sent: (request) => {
      if (request.recall || takesBack(request)) return [];
      const premises = watched.get(request.runId)?.get(request.stepId) ?? [];
      exposure.count("premises asked before a send", premises.length);
      return premises
        .filter(({ condition, falseSinceMs = Number.POSITIVE_INFINITY }) => {
          const limitMs = condition.what?.$case === "nodeSilent" ? HEARD_AGAIN_MS : FALSE_FOR_MS;
          const wasFalse = clock.monotonicMs() - falseSinceMs > limitMs;
          return wasFalse && truthOf(cluster, condition) === false; // this run's step before may just have made it true
        })
        .map(
          ({ condition }) =>
            `I15: ${request.stepId} was sent though this is false: ${JSON.stringify(condition.what)}`,
        );
    },
    over: (runId) => void watched.delete(runId),
  };
}
