/**
 * One end of a mirrored disk as it can be trusted now: what its kernel said, how old that is, and, where it cannot
 * be trusted, why. A silent node, a damaged line and a minor that should be there and is not are all "unknown", and
 * unknown is never healthy (I11).
 */
import { ConnectionState, Source, SourceState, type DrbdMinor } from "@vigie/proto";
import type { ClusterView } from "./cluster-view.js";
import type { Resource, ResourceEnd } from "./join.js";
import { unlisted } from "./node-view.js";

/** Older than this, a reading says nothing about now. The agent reads each second. */
export const FRESH_MS = 5_000;

export interface EndView {
  readonly end: ResourceEnd;
  readonly drbd: DrbdMinor | undefined;
  readonly unknown: string; // why drbd is undefined or not fresh; empty: known and fresh
  readonly ageMs: number; // 0 where it was never seen
  readonly readAtMs: number;
  readonly stillMs: number; // 0 where it does not resync
  readonly sinceWatched: boolean; // its agent has not seen it move: stillMs says only for how long it has looked
  /** The kernel has no such minor, and that was read: the disk is not active here. */
  readonly inactive: boolean;
}

export function endViews(view: ClusterView, resource: Resource, nowMs: number): EndView[] {
  return resource.ends.map((end) => endView(view, end, nowMs));
}

function endView(view: ClusterView, end: ResourceEnd, nowMs: number): EndView {
  const node = view.nodes.get(end.node);
  const source = node?.sources.get(Source.PROC_DRBD);
  const unknown = {
    end,
    drbd: undefined,
    ageMs: 0,
    readAtMs: 0,
    stillMs: 0,
    sinceWatched: false,
    inactive: false,
  };
  if (node === undefined || source === undefined)
    return { ...unknown, unknown: `${end.node} has not reported` };
  const ageMs = Math.max(0, nowMs - source.readAtMs);
  const stale = ageMs > FRESH_MS ? `the newest reading is ${Math.round(ageMs / 1000)} s old` : "";
  const seen = { end, ageMs, readAtMs: source.readAtMs, stillMs: 0, sinceWatched: false, inactive: false };
  if (source.report.state === SourceState.FAILED)
    return { ...seen, drbd: undefined, unknown: `/proc/drbd: ${source.report.reason}` };
  const minor = node.minors.get(end.minor);
  if (minor === undefined) {
    const why = stale || unlisted(source.report, end.minor);
    return { ...seen, drbd: undefined, inactive: why === "", unknown: why };
  }
  const stillMs = minor.stillMs === undefined ? 0 : minor.stillMs + (nowMs - minor.readAtMs);
  const inactive = stale === "" && minor.drbd?.connection === ConnectionState.UNCONFIGURED;
  const { drbd, sinceWatched } = minor;
  return { ...seen, drbd, unknown: minor.unknown || stale, stillMs, sinceWatched, inactive };
}

export function isInSync(drbd: DrbdMinor): boolean {
  return drbd.connection === ConnectionState.SYNC_SOURCE || drbd.connection === ConnectionState.SYNC_TARGET;
}

export function isResyncPaused(drbd: DrbdMinor): boolean {
  return drbd.resyncPausedByDependency || drbd.resyncPausedByPeer || drbd.resyncPausedByUser;
}
