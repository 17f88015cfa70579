/**
 * A guest is not started by us from a copy that had long been without its peer, unless the plan said what may be lost: the
 * other side went on writing. Judged by when the two ends were last connected, and when the other node was last heard.
 */
import { ConnectionState, type Plan } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import { peerOf, type DiskModel } from "../../simulator/drbd-model.js";
import { reaches } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import { isOurs } from "./copies.js";
import type { Watch } from "./judge.js";

const APART: ReadonlySet<ConnectionState> = new Set([
  ConnectionState.STAND_ALONE,
  ConnectionState.WF_CONNECTION,
]);
const SAID = /MAY LOSE DATA/;
const BEFORE_MS = 25_000; // DRBD's own pings notice after ten seconds, an agent dials again within ten

export function watchLosses(
  { world }: SimCluster,
  planOf: (runId: string) => Plan | undefined,
  exposure: Exposure,
): Watch {
  const connectedMs = new Map<DiskModel, number>(); // when last
  const heardMs = new Map<string, number>(); // node → when it was last seen by the master
  return {
    look: () => {
      const nowMs = world.clock.monotonicMs();
      for (const disk of world.disks)
        if (disk.ends.every(({ connection, configured }) => configured && !APART.has(connection)))
          connectedMs.set(disk, nowMs);
      for (const { name, up } of world.nodes.values())
        if (up && (name === world.master || reaches(world, name, world.master))) heardMs.set(name, nowMs);
      return [];
    },
    placed: (instance, node, reasons) => {
      if (!isOurs(reasons)) return [];
      return world.disks
        .filter((disk) => disk.instance === instance)
        .filter((disk) => wasAlone(disk, node))
        .filter(() => {
          exposure.count("guests started from a copy that was alone before");
          return !(planOf(runOf(reasons))?.notes.some((note) => SAID.test(note)) ?? false);
        })
        .map(
          ({ index }) =>
            `losses: ${reasons.join(" ")} starts ${instance} on ${node}, whose copy of disk/${index} had been alone, and the plan said nothing of it`,
        );
    },
  };

  /** Its peer was still heard for long after the two had parted. */
  function wasAlone(disk: DiskModel, node: string): boolean {
    const own = disk.ends.find((end) => end.node === node);
    if (own === undefined) return false;
    const partedMs = connectedMs.get(disk);
    const silentMs = heardMs.get(peerOf(disk, own).node);
    const nowMs = world.clock.monotonicMs();
    if (partedMs === undefined || silentMs === undefined || nowMs - silentMs < BEFORE_MS) return false;
    return silentMs - partedMs > BEFORE_MS;
  }
}

/** "vigie:r-…:failover-1" */
function runOf(reasons: readonly string[]): string {
  return reasons.find((reason) => reason.startsWith("vigie:"))?.split(":")[1] ?? "";
}
