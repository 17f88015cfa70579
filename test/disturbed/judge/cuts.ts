/** I17, I18, I9: a cut is of one DRBD link of its node, ends in time, and is the only one of its instance. */
import { cutsAtOnce, cutsThatStay, isLinkOf } from "../../simulator/invariants.js";
import { reaches, type World } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";

const OTHERS_LINK_MS = 15_000; // until it is noticed that the port is another's by now

export function watchCuts(world: World, exposure: Exposure): Watch {
  const since = new Map<string, number>();
  const owners = new Map<string, { uuid: string; othersSinceMs: number | undefined }>(); // of each cut
  return {
    look: () => [...cutsThatStay(world, since), ...cutsAtOnce(world), ...linksThatAreCut()],
  };

  function linksThatAreCut(): string[] {
    const now = world.clock.monotonicMs();
    const found: string[] = [];
    const standing = new Set<string>();
    for (const node of world.nodes.values())
      for (const entry of node.cuts.keys()) {
        const key = `${node.name} ${entry}`;
        standing.add(key);
        const uuid = world.disks.find((disk) => isLinkOf(world, disk, node.name, entry))?.uuid ?? "";
        const known = owners.get(key);
        if (known === undefined) {
          exposure.count("cuts");
          owners.set(key, { uuid, othersSinceMs: undefined });
          if (uuid === "") found.push(`I18: ${key} is cut, which is no DRBD link of its own`);
        } else if (node.extraFiles.has("/etc/vigie/stop") || !reaches(world, node.name, world.master)) {
          known.othersSinceMs = undefined; // forbidden by a person, or nobody can say so: only the kernel ends it
        } else if (uuid !== "" && uuid !== known.uuid) {
          known.othersSinceMs ??= now;
          if (now - known.othersSinceMs > OTHERS_LINK_MS)
            found.push(`I18: ${key} cuts the link of another disk, ${uuid}`);
        }
      }
    for (const key of owners.keys()) if (!standing.has(key)) owners.delete(key);
    return found;
  }
}
