/** The runbooks that would mend what stands in the way. */
import { ConnectionState, DiskState, replicates } from "@vigie/proto";
import { isInSync, type EndView } from "../view/end-view.js";
import type { Copy } from "./copies.js";

/** What makes a mirrored disk whole again, so that one copy may be given up; empty: nothing that Vigie knows. */
export function waysToWhole({ resource, own, peer }: Copy, minStillMs: number): string[] {
  const ends = [own, peer].filter((end) => end !== undefined);
  const { instance, diskIndex } = resource;
  if (ends.some((e) => e.unknown !== "")) return [];
  if (ends.some((e) => e.drbd?.connection === ConnectionState.STAND_ALONE))
    return [`vigie do resolve-split-brain ${instance}`];
  if (ends.some((e) => isStill(e, minStillMs)))
    return [`vigie do reset-stalled-sync ${instance} ${diskIndex}`];
  const syncing = ends.some(({ drbd }) => drbd !== undefined && isInSync(drbd));
  if (syncing) return []; // it will be whole by itself
  if (peer?.inactive === true && own?.inactive === true)
    return resource.ends[1]?.node === own.end.node ? [`vigie do relocate-secondaries ${own.end.node}`] : [];
  const peerWhole = peer?.drbd?.disk === DiskState.UP_TO_DATE;
  const connected = ends.every(({ drbd }) => drbd !== undefined && replicates(drbd.connection));
  return peerWhole && connected ? [] : [`vigie do rebuild-redundancy ${instance}`];
}

function isStill({ drbd, stillMs }: EndView, minStillMs: number): boolean {
  return drbd !== undefined && isInSync(drbd) && stillMs >= minStillMs;
}
