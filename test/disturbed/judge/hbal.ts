/**
 * hbal acts by itself for as long as it works. I33: where the node on which it works was told of a stop, it puts no
 * further job into the queue. I9: meanwhile no other run of the same orchestrator begins anything on an instance.
 */
import { RunEventKind, type ActionRequest, type Plan, type RunEvent } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import type { Exposure } from "../exposure.js";
import type { Faults } from "../faults.js";
import type { Watch } from "./judge.js";
import { hearsOrchestrator, TOLD_WITHIN_MS } from "./hears.js";
import { ourStep } from "./our-step.js";
import { takesBack } from "./stop.js";

const GONE: ReadonlySet<RunEventKind> = new Set([RunEventKind.TAKEN_OVER]);

export function watchHbal(
  cluster: SimCluster,
  { plan, rows }: { plan: (runId: string) => Plan | undefined; rows: (runId: string) => readonly RunEvent[] },
  exposure: Exposure,
  faults: Faults,
): Watch {
  const { world } = cluster;
  const sentFrom = new Map<string, string>(); // run → the node whose orchestrator sent its hbal
  let stoppedMs: number | undefined;
  let hearsSinceMs: number | undefined;
  return {
    look: () => {
      if (world.balancing.size > 0 || stoppedMs !== undefined) {
        if (!hearsOrchestrator(cluster, faults, world.master)) hearsSinceMs = undefined;
        else hearsSinceMs ??= world.clock.monotonicMs();
      }
      return [];
    },
    confirmed: ({ what }) => {
      if (what === "released") stoppedMs = undefined;
      else if (world.balancing.size > 0) exposure.count("said while hbal works: stop, pause, abort or end");
      if (what === "stopped") stoppedMs ??= world.clock.monotonicMs();
    },
    queued: ({ id, reasons }) => {
      if (ourStep(reasons)?.stepId !== "rebalance") return [];
      exposure.count("guests moved by hbal");
      const nowMs = world.clock.monotonicMs();
      const toldMs = nowMs - (stoppedMs ?? nowMs);
      const hearsMs = nowMs - (hearsSinceMs ?? nowMs);
      return toldMs > TOLD_WITHIN_MS && hearsMs > TOLD_WITHIN_MS
        ? [`I33: hbal put job ${id} into the queue ${toldMs} ms after everything was stopped`]
        : [];
    },
    sent: (request, from) => {
      if (request.action?.kind?.$case === "rebalance") sentFrom.set(request.runId, from);
      return request.recall || takesBack(request) ? [] : beside(request, from);
    },
  };

  function beside({ runId, stepId }: ActionRequest, from: string): string[] {
    const holds = plan(runId)?.locks.some((lock) => lock.startsWith("instance ")) === true;
    if (!holds) return [];
    return [...world.balancing]
      .map((reasons) => ourStep(reasons)?.runId ?? "")
      .filter((other) => other !== "" && other !== runId && sentFrom.get(other) === from)
      .filter((other) => !rows(other).some(({ kind }) => GONE.has(kind)))
      .map((other) => `I9: ${stepId} of ${runId} was sent while hbal of ${other} moves guests`);
  }
}
