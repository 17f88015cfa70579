/**
 * Since when has this end seen its mirror whole: Connected or verifying, UpToDate on both sides and nothing out of sync,
 * without a break? After one copy was touched, the other is left alone until this has lasted (I10). It measures and judges
 * nothing: the guard and the engine compare the figure.
 */
import { DiskState, replicates, type DrbdMinor, type MinorRedundancy } from "@vigie/proto";

/** Monotonic ms of the first reading that saw it so, by minor. */
export type RedundantSince = ReadonlyMap<number, number>;

/** @param minors of one whole reading: a minor that is not among them, or is damaged, is redundant no more */
export function trackRedundancy(
  before: RedundantSince,
  minors: readonly DrbdMinor[],
  nowMs: number,
): Map<number, number> {
  const redundant = minors.filter(isRedundant);
  return new Map(redundant.map(({ minor }) => [minor, before.get(minor) ?? nowMs]));
}

export function redundantFor(since: RedundantSince, nowMs: number): MinorRedundancy[] {
  return [...since].map(([minor, sinceMs]) => ({
    minor,
    redundantMs: Math.max(0, Math.round(nowMs - sinceMs)),
  }));
}

/** DRBD 8.0 prints no oos: there nobody can say. */
export function isRedundant(minor: DrbdMinor): boolean {
  return (
    replicates(minor.connection) &&
    minor.disk === DiskState.UP_TO_DATE &&
    minor.peerDisk === DiskState.UP_TO_DATE &&
    minor.outOfSyncKib === 0
  );
}
