/**
 * Since when has this end of a resync not moved? The kernel says "(stalled)" only after 180 s; this looks at what
 * moves while a resync lives. It measures and judges nothing: the rule and the guard compare the figure.
 *
 * What counts as movement:
 * - While bits are out of sync: any change of what is left, of oos, or of what passes the wire and the peer's disk
 *   (ns, nr, dw, pe, ua). A Primary that outruns its resync keeps these moving, so it is never still. `dr` is left
 *   out: a guest that reads from its own disk moves it while the link is dead.
 * - At oos:0 there is nothing left to send, and the state should have been left at once. Guests go on writing
 *   through such a link (ganeti#1868), so only the resync's own figures count.
 * A paused resync is not still: somebody paused it.
 */
import { ConnectionState, type DrbdMinor, type MinorStillness } from "@vigie/proto";

export interface Stillness {
  readonly movement: string; // everything whose change is movement, as one comparable text
  readonly sinceMs: number; // monotonic, when it last changed
}

/** @returns the minors that resync now, each with the time of its last movement */
export function trackStillness(
  before: ReadonlyMap<number, Stillness>,
  minors: readonly DrbdMinor[],
  nowMs: number,
): Map<number, Stillness> {
  const now = new Map<number, Stillness>();
  for (const minor of minors) {
    if (!resyncs(minor)) continue;
    const movement = movementOf(minor);
    const known = before.get(minor.minor);
    const stood = known !== undefined && known.movement === movement;
    now.set(minor.minor, stood ? known : { movement, sinceMs: nowMs });
  }
  return now;
}

export function stillFor(still: ReadonlyMap<number, Stillness>, nowMs: number): MinorStillness[] {
  return [...still].map(([minor, { sinceMs }]) => ({
    minor,
    stillMs: Math.max(0, Math.round(nowMs - sinceMs)),
  }));
}

function resyncs(minor: DrbdMinor): boolean {
  const inSync =
    minor.connection === ConnectionState.SYNC_SOURCE || minor.connection === ConnectionState.SYNC_TARGET;
  const paused = minor.resyncPausedByDependency || minor.resyncPausedByPeer || minor.resyncPausedByUser;
  return inSync && !paused && !minor.ioSuspended;
}

function movementOf(minor: DrbdMinor): string {
  const resync = [minor.connection, minor.resync?.leftKib, minor.resync?.donePercent, minor.outOfSyncKib];
  if (minor.outOfSyncKib === 0) return resync.join(" ");
  const wire = [minor.networkSentKib, minor.networkReceivedKib, minor.diskWrittenKib];
  return [...resync, ...wire, minor.pending, minor.unacknowledged].join(" ");
}
