/**
 * No job of ours sets a node offline below guests that run there: a failover would start them twice (G#669). None takes
 * back that a node was taken out of the cluster once a guest of it was started elsewhere. Judged by the world, in the
 * moment when Ganeti's word changes.
 */
import type { Plan } from "@vigie/proto";
import type { NodeModel } from "../../simulator/node-model.js";
import type { World } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Arrivals } from "./arrivals.js";
import type { Watch } from "./judge.js";
import { ourStep, type OurStep } from "./our-step.js";

const KNOWN_AFTER_MS = 10_000; // as premises.ts: what was seen, the reading before it, and the way
const HEARD_AGAIN_MS = 25_000; // of a node that was silent

export function watchFlags(
  world: World,
  planOf: (runId: string) => Plan | undefined,
  arrivals: Arrivals,
  exposure: Exposure,
): Watch {
  const sentMs = new Map<string, number>(); // "r-… set-offline" → when its request left last
  const takenOut = new Map<string, readonly string[]>(); // run → instances of the node that it set offline
  return {
    sent: ({ runId, stepId, recall }) => {
      if (!recall) sentMs.set(`${runId} ${stepId}`, world.clock.monotonicMs());
      return [];
    },
    flagged: (node, offline, reasons) => {
      const step = ourStep(reasons);
      if (step === undefined) return [];
      const isUndo = isUndoStep(step);
      if (isUndo) exposure.count("nodes set offline or online by an undo");
      const nowMs = sentMs.get(`${step.runId} ${step.stepId}`) ?? world.clock.monotonicMs();
      const sinceMs = nowMs - (isUndo ? KNOWN_AFTER_MS : HEARD_AGAIN_MS);
      return offline ? below(node, step, sinceMs) : startedElsewhere(node, step, sinceMs);
    },
  };

  function below({ name }: NodeModel, { runId, stepId }: OurStep, sinceMs: number): string[] {
    const placed = world.ganeti.instances.filter(({ primary }) => primary === name);
    takenOut.set(
      runId,
      placed.map((instance) => instance.name),
    );
    return arrivals
      .onSince(name, sinceMs)
      .map((guest) => `flags: ${runId} ${stepId} sets ${name} offline below ${guest}, which runs there`);
  }

  function startedElsewhere({ name }: NodeModel, { runId, stepId }: OurStep, sinceMs: number): string[] {
    const guests = new Set(takenOut.get(runId));
    return [...world.nodes.keys()]
      .filter((other) => other !== name)
      .flatMap((other) =>
        arrivals
          .onSince(other, sinceMs)
          .filter((guest) => guests.has(guest))
          .map(
            (guest) => `flags: ${runId} ${stepId} sets ${name} online again, and ${guest} runs on ${other}`,
          ),
      );
  }

  function isUndoStep({ runId, stepId }: OurStep): boolean {
    return planOf(runId)?.steps.some(({ id, onlyAsUndo }) => onlyAsUndo && id === stepId) ?? false;
  }
}
