/**
 * I1, I2, I10: whatever we give up, another UpToDate copy of it can be reached at that moment. What a failing disk or a
 * person takes away is not ours; so it is judged at our commands and at the jobs with our reason.
 */
import { DiskState } from "@vigie/proto";
import { endAt, peerOf, type DiskModel, type DrbdEndModel } from "../../simulator/drbd-model.js";
import { isGood, touches } from "../../simulator/invariants.js";
import type { World } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";

const KNOWN_AFTER_MS = 10_000; // a disk that was pulled out is read of, or met by a write

export function watchCopies(world: World, exposure: Exposure): Watch {
  const goodMs = new Map<DrbdEndModel, number>(); // when last
  return {
    look: () => {
      for (const disk of world.disks)
        for (const end of disk.ends) if (isGood(world, disk, end)) goodMs.set(end, world.clock.monotonicMs());
      return [];
    },
    runs: (ran) =>
      touches(world, ran).flatMap(({ disk, end }) =>
        givenUp(disk, end.node, ran.argv.join(" "), ran.begunMs),
      ),
    dropped: (disk, end, reasons) =>
      isOurs(reasons) ? givenUp(disk, end.node, reasons.join(" "), world.clock.monotonicMs()) : [],
  };

  function givenUp(disk: DiskModel, node: string, by: string, begunMs: number): string[] {
    const end = endAt(disk, node);
    if (end === undefined) return [];
    exposure.count("copies given up");
    if (!isGood(world, disk, end)) return []; // it was none
    const other = peerOf(disk, end);
    const lostSince = (goodMs.get(other) ?? 0) >= begunMs; // while the command took its time: nobody could know
    return isGood(world, disk, other) || lostSince || wasPulledNow(other)
      ? []
      : [
          `I1: the last UpToDate copy of ${disk.instance} disk/${disk.index}, on ${node}, was given up by ${by}`,
        ];
  }

  /** Its kernel has not met that yet, and nobody can know. */
  function wasPulledNow(end: DrbdEndModel): boolean {
    const sinceMs = world.clock.monotonicMs() - (goodMs.get(end) ?? 0);
    return end.disk === DiskState.UP_TO_DATE && sinceMs < KNOWN_AFTER_MS;
  }
}

export function isOurs(reasons: readonly string[]): boolean {
  return reasons.some((reason) => reason.startsWith("vigie:"));
}
