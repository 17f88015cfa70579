/**
 * I17, I18, I9, I14: a cut is of one DRBD link of its node, ends in time, and is the only one of its instance; and in the
 * moment when it begins that link is not well, or has been for so short that nobody can know.
 */
import { ConnectionState, DiskState } from "@vigie/proto";
import type { DiskModel } from "../../simulator/drbd-model.js";
import { cutsAtOnce, cutsThatStay, isLinkOf } from "../../simulator/invariants.js";
import type { NodeModel } from "../../simulator/node-model.js";
import type { SimCluster } from "../../simulator/cluster.js";
import { reaches } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";

const KNOWN_AFTER_MS = 4_000; // what a guard saw may be 2 s old, and is of a reading each second
const OTHERS_LINK_MS = 15_000; // until it is noticed that the port is another's by now

/** When the cut was first seen. */
interface Owner {
  readonly uuid: string; // of the disk; empty: no link of its own
  readonly master: string;
  othersSinceMs: number | undefined;
}

export function watchCuts({ world, runs }: SimCluster, exposure: Exposure): Watch {
  const since = new Map<string, number>();
  const wellMs = new Map<DiskModel, number>(); // since when
  const owners = new Map<string, Owner>(); // of each cut
  return {
    look: () => {
      const found = [...cutsThatStay(world, since), ...cutsAtOnce(world), ...linksThatAreCut()];
      for (const disk of world.disks) {
        if (!isWell(disk)) wellMs.delete(disk);
        else if (!wellMs.has(disk)) wellMs.set(disk, world.clock.monotonicMs());
      }
      return found;
    },
  };

  function wellBefore(disk: DiskModel | undefined, key: string): string[] {
    if (disk === undefined) return [];
    const forMs = world.clock.monotonicMs() - (wellMs.get(disk) ?? world.clock.monotonicMs());
    return forMs > KNOWN_AFTER_MS ? [`I14: ${key} is cut, and the link has been well for ${forMs} ms`] : [];
  }

  /**
   * Otherwise only the kernel ends it: forbidden by a person, nobody can say so, or nobody is there whose it is, since the
   * orchestrator is dead, or the master moved to a node whose store does not know its run.
   */
  function canBeEnded({ name, extraFiles }: NodeModel, { master }: Owner): boolean {
    if (extraFiles.has("/etc/vigie/stop") || !reaches(world, name, world.master)) return false;
    return master === world.master && runs("orchestrator", master);
  }

  function linksThatAreCut(): string[] {
    const now = world.clock.monotonicMs();
    const found: string[] = [];
    const standing = new Set<string>();
    for (const node of world.nodes.values())
      for (const entry of node.cuts.keys()) {
        const key = `${node.name} ${entry}`;
        standing.add(key);
        const of = world.disks.find((disk) => isLinkOf(world, disk, node.name, entry));
        const uuid = of?.uuid ?? "";
        const known = owners.get(key);
        if (known === undefined) {
          exposure.count("cuts");
          owners.set(key, { uuid, master: world.master, othersSinceMs: undefined });
          found.push(...wellBefore(of, key));
          if (uuid === "") found.push(`I18: ${key} is cut, which is no DRBD link of its own`);
        } else if (!canBeEnded(node, known)) {
          known.othersSinceMs = undefined;
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

/** Connected and whole, or a resync that moves. */
function isWell({ ends, blackhole, neverLeaves }: DiskModel): boolean {
  if (blackhole !== "none" || neverLeaves) return false;
  return ends.every(
    ({ configured, disk, connection, paused }) =>
      configured &&
      !paused &&
      (SYNCING.has(connection) ||
        (connection === ConnectionState.CONNECTED && disk === DiskState.UP_TO_DATE)),
  );
}

const SYNCING: ReadonlySet<ConnectionState> = new Set([
  ConnectionState.SYNC_SOURCE,
  ConnectionState.SYNC_TARGET,
]);
