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
 * - A resync whose own figures (left, oos) stand for half a minute is still though the rest moves: guests go on
 *   writing beside a resync that lost its requests, and a frozen peer disk takes requests for forty seconds.
 * A paused resync is not still: somebody paused it.
 */
import { ConnectionState, type DrbdMinor, type MinorStillness } from "@vigie/proto";

const RESYNC_ALONE_MS = 30_000;

export interface Stillness {
  readonly movement: string; // everything whose change is movement, as one comparable text
  readonly sinceMs: number; // monotonic, when it last changed
  readonly resync: string; // the resync's own figures alone
  readonly resyncSinceMs: number;
  readonly moved: boolean; // since it was first read
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
    const known = before.get(minor.minor);
    const resync = resyncOf(minor);
    const movement = movementOf(minor);
    const sinceMs = known?.movement === movement ? known.sinceMs : nowMs;
    const resyncSinceMs = known?.resync === resync ? known.resyncSinceMs : nowMs;
    const moved = known !== undefined && (known.moved || known.movement !== movement);
    now.set(minor.minor, { movement, sinceMs, resync, resyncSinceMs, moved });
  }
  return now;
}

export function stillFor(still: ReadonlyMap<number, Stillness>, nowMs: number): MinorStillness[] {
  return [...still].map(([minor, { sinceMs, resyncSinceMs, moved }]) => {
    const resyncStillMs = Math.max(0, Math.round(nowMs - resyncSinceMs));
    const allStillMs = Math.max(0, Math.round(nowMs - sinceMs));
    const stillMs = resyncStillMs >= RESYNC_ALONE_MS ? resyncStillMs : allStillMs;
    return { minor, stillMs, sinceWatched: !moved };
  });
}

function resyncs(minor: DrbdMinor): boolean {
  const inSync =
    minor.connection === ConnectionState.SYNC_SOURCE || minor.connection === ConnectionState.SYNC_TARGET;
  const paused = minor.resyncPausedByDependency || minor.resyncPausedByPeer || minor.resyncPausedByUser;
  return inSync && !paused && !minor.ioSuspended;
}

function movementOf(minor: DrbdMinor): string {
  if (minor.outOfSyncKib === 0) return resyncOf(minor);
  const wire = [minor.networkSentKib, minor.networkReceivedKib, minor.diskWrittenKib];
  return [resyncOf(minor), ...wire, minor.pending, minor.unacknowledged].join(" ");
}

function resyncOf({ connection, resync, outOfSyncKib }: DrbdMinor): string {
  return [connection, resync?.leftKib, resync?.donePercent, outOfSyncKib].join(" ");
}
