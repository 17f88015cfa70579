/** I32: an approval that nothing followed is of then: a quarter of an hour later nothing is begun on it, by any clock. */
import { RunEventKind, type RunEvent } from "@vigie/proto";
import type { World } from "../../simulator/world.js";
import type { Watch } from "./judge.js";

const GOOD_FOR_MS = 15 * 60_000;
const LATE_MS = 60_000; // a step that was being looked at when the time was over, and a leap of time

export function watchApprovals(world: World, rowsOf: (runId: string) => readonly RunEvent[]): Watch {
  const approvedMs = new Map<string, number>(); // by run
  const begun = new Set<string>();
  return {
    row: (runId, { kind }) => {
      if (kind === RunEventKind.APPROVED) approvedMs.set(runId, world.clock.monotonicMs());
    },
    sent: ({ runId, stepId }) => {
      const first = !begun.has(runId) && !rowsOf(runId).some(({ kind }) => FOLLOWS.has(kind));
      begun.add(runId);
      const ageMs = world.clock.monotonicMs() - (approvedMs.get(runId) ?? world.clock.monotonicMs());
      return first && ageMs > GOOD_FOR_MS + LATE_MS
        ? [`I32: ${stepId} of ${runId} was sent ${Math.round(ageMs / 60_000)} min after its approval`]
        : [];
    },
  };
}

/** Something was seen, or a person spoke: the approval is not alone any more. */
const FOLLOWS: ReadonlySet<RunEventKind> = new Set([
  RunEventKind.STEP_VERIFIED,
  RunEventKind.STEP_SKIPPED,
  RunEventKind.STEP_WAITING,
  RunEventKind.PERSON_SAID,
]);
