/**
 * How often the seeds came to what the invariants are about. An invariant that was hardly exposed has not been tested:
 * a run whose counts stay below the floor is void, however green it is.
 */

/** What is counted, and how many of it a run of a thousand seeds must have at least; 0: only shown. */
export const FLOOR_PER_1000 = {
  "runs planned": 600,
  "runs approved": 400,
  "requests sent": 1_000,
  "commands run": 2_000,
} as const satisfies Record<string, number>;

export type Counted = keyof typeof FLOOR_PER_1000;

export interface Exposure {
  readonly counts: ReadonlyMap<Counted, number>;
  readonly count: (what: Counted, times?: number) => void;
}

export function createExposure(): Exposure {
  const counts = new Map<Counted, number>();
  return {
    counts,
    count: (what, times = 1) => void counts.set(what, (counts.get(what) ?? 0) + times),
  };
}

/** @returns what was exposed too seldom for this many seeds; empty: the run counts */
export function underFloor(counts: ReadonlyMap<Counted, number>, seeds: number): string[] {
  return Object.entries(FLOOR_PER_1000)
    .map(([what, per1000]) => ({ what, least: Math.floor((per1000 * seeds) / 1000) }))
    .filter(({ what, least }) => (counts.get(what as Counted) ?? 0) < least)
    .map(
      ({ what, least }) => `${what}: ${counts.get(what as Counted) ?? 0}, and at least ${least} are needed`,
    );
}
