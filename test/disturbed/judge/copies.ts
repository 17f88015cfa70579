/**
 * I1, I2, I10: whatever we give up, another UpToDate copy of it can be reached at that moment. What a failing disk or a
 * person takes away is not ours; so it is judged at our commands and at the jobs with our reason.
 */
import { endAt, peerOf, type DiskModel } from "../../simulator/drbd-model.js";
import { isGood, touches } from "../../simulator/invariants.js";
import type { World } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";

export function watchCopies(world: World, exposure: Exposure): Watch {
  return {
    runs: (ran) =>
      touches(world, ran).flatMap(({ disk, end }) => givenUp(disk, end.node, ran.argv.join(" "))),
    dropped: (disk, end, reasons) => (isOurs(reasons) ? givenUp(disk, end.node, reasons.join(" ")) : []),
  };

  function givenUp(disk: DiskModel, node: string, by: string): string[] {
    const end = endAt(disk, node);
    if (end === undefined) return [];
    exposure.count("copies given up");
    if (!isGood(world, disk, end)) return []; // it was none
    const other = peerOf(disk, end);
    return isGood(world, disk, other)
      ? []
      : [
          `I1: the last UpToDate copy of ${disk.instance} disk/${disk.index}, on ${node}, was given up by ${by}`,
        ];
  }
}

export function isOurs(reasons: readonly string[]): boolean {
  return reasons.some((reason) => reason.startsWith("vigie:"));
}
