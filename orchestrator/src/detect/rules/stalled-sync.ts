/**
 * A resync that does not move, by the figures of both ends. The kernel's "(stalled)" comes 180 s late and is shown,
 * not waited for. Not stalls: a paused resync, a slow one that moves, a Primary that outruns its resync (all three
 * move by agent/src/stillness.ts, or are not tracked there).
 *
 * The usual pair is SyncSource and SyncTarget, both still. The other is the resync that finished and was never
 * left: 100.0 %, oos:0, SyncSource, while the peer is done or says the same (ganeti#1868, and the wiki's).
 */
import { ConnectionState, connectionWord, IncidentKind, Severity } from "@vigie/proto";
import { isInSync, isResyncPaused, type EndView } from "../../view/end-view.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

export const stalledSync: ResourceRule = {
  about: "resource",
  kind: IncidentKind.STALLED_SYNC,
  holdDownMs: 0, // the figure itself has stood for stallAfterMs
  clearMs: 3_000,
  judge: (resource, ends, _view, { stallAfterMs }) => {
    if (ends.some((end) => end.unknown !== "")) return "unknown"; // that one end is done says nothing of the other
    const resyncing = ends.filter(resyncs);
    const paused = ends.some(({ drbd }) => drbd !== undefined && isResyncPaused(drbd));
    if (ends.length !== 2 || resyncing.length === 0 || paused) return [];
    const stillMs = Math.min(...resyncing.map((end) => end.stillMs));
    if (!belongTogether(ends)) return [];
    // An agent that has just started counts anew: that it stands so short a time does not say that it moves (I11).
    if (stillMs < stallAfterMs) return resyncing.some((end) => end.sinceWatched) ? "unknown" : [];
    const lastProgressMs = Math.max(...resyncing.map((end) => end.readAtMs + end.ageMs - end.stillMs));
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary: `${resourceName(resource)}: the resync has not moved for ${Math.round(stillMs / 1000)} s (${describe(ends)})`,
        severity: Severity.CRITICAL,
        evidence: ends.map(endEvidence),
        lastProgressMs,
      },
    ];
  },
};

function resyncs({ drbd }: EndView): boolean {
  return drbd !== undefined && isInSync(drbd) && !isResyncPaused(drbd);
}

/** What both ends say can be one resync: source and target, or one that is finished and that an end never left. */
export function belongTogether(ends: readonly EndView[]): boolean {
  const states = ends.map((end) => end.drbd?.connection);
  const source = states.includes(ConnectionState.SYNC_SOURCE);
  if (source && states.includes(ConnectionState.SYNC_TARGET)) return true;
  const nothingLeft = ends.every((end) => end.drbd?.outOfSyncKib === 0);
  const other =
    states.every((s) => s === ConnectionState.SYNC_SOURCE) || states.includes(ConnectionState.CONNECTED);
  return source && nothingLeft && other;
}

function describe(ends: readonly EndView[]): string {
  return ends
    .map(({ end, drbd }) => `${end.node} ${drbd === undefined ? "?" : connectionWord(drbd.connection)}`)
    .join(", ");
}
