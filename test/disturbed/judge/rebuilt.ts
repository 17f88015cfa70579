/**
 * What was not understood is not gone (I11). rebuild-redundancy throws no copy away that is whole: one whose volume is
 * there, though a line of a listing was not understood. And no job of ours takes a copy away beneath a guest that runs
 * on it beside its primary node, whatever Ganeti believes.
 */
import type { Plan } from "@vigie/proto";
import { endAt, type DiskModel, type DrbdEndModel } from "../../simulator/drbd-model.js";
import { isGood } from "../../simulator/invariants.js";
import { nodeOf, type World } from "../../simulator/world.js";
import type { Arrivals } from "./arrivals.js";
import type { Watch } from "./judge.js";
import { ourStep, type OurStep } from "./our-step.js";

const KNOWN_AFTER_MS = 15_000; // a reading before the send, the way, and the job's way through the queue

export function watchRebuilt(
  world: World,
  planOf: (runId: string) => Plan | undefined,
  arrivals: Arrivals,
): Watch {
  const badMs = new Map<DrbdEndModel, number>(); // when last
  return {
    look: () => {
      for (const disk of world.disks)
        for (const end of disk.ends) if (!isWhole(disk, end)) badMs.set(end, world.clock.monotonicMs());
      return [];
    },
    dropped: (disk, end, reasons) => {
      const step = ourStep(reasons);
      return step === undefined ? [] : [...thrownAway(disk, end, step), ...beneath(disk, end, step)];
    },
  };

  function isWhole(disk: DiskModel, end: DrbdEndModel): boolean {
    return isGood(world, disk, end) && !nodeOf(world, end.node).offline;
  }

  /** A new secondary takes all disks of an instance along: one broken copy there is reason enough. */
  function thrownAway({ instance }: DiskModel, { node }: DrbdEndModel, { runId, stepId }: OurStep): string[] {
    if (planOf(runId)?.runbook !== "rebuild-redundancy") return [];
    const wholeBeforeMs = world.clock.monotonicMs() - KNOWN_AFTER_MS;
    const there = world.disks.flatMap((disk) => {
      const end = disk.instance === instance ? endAt(disk, node) : undefined;
      return end === undefined ? [] : [{ disk, end }];
    });
    const whole = there.every(({ disk, end }) => isWhole(disk, end) && (badMs.get(end) ?? 0) < wholeBeforeMs);
    return whole ? [`rebuild: ${runId} ${stepId} throws whole copies of ${instance} on ${node} away`] : [];
  }

  function beneath({ instance }: DiskModel, { node }: DrbdEndModel, { runId, stepId }: OurStep): string[] {
    const primary = world.ganeti.instances.find(({ name }) => name === instance)?.primary;
    const since = arrivals.onSince(node, world.clock.monotonicMs() - KNOWN_AFTER_MS);
    return primary !== node && since.includes(instance)
      ? [`rebuild: ${runId} ${stepId} takes the copy of ${instance} on ${node} away beneath its guest`]
      : [];
  }
}
