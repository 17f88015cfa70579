/**
 * How often the seeds came to what the invariants are about. An invariant that was hardly exposed has not been tested:
 * a run whose counts stay below the floor is void, however green it is.
 */

/** What is counted, and how many of it a thousand seeds must have at least. */
export const FLOOR_PER_1000 = {
  "runs planned": 800,
  "runs approved": 500,
  "requests sent": 1_500,
  "commands run": 3_000,
  "premises asked before a send": 1_000,
  "stops and pauses confirmed": 120,
  "steps checked while stopped": 25,
  cuts: 50,
  "copies given up": 300,
  "guests started or moved": 80,
  "guests started from a copy that was alone before": 2,
  "nodes set offline or online by an undo": 5,
  "dead nodes that were heard again": 2,
  "guests moved by hbal": 20,
  "said while hbal works: stop, pause, abort or end": 3,
  "sends beside another run": 20,
  "copies whose volume is not understood when it is planned": 5,
  "stale epochs refused": 5,
  "unanswered actions recalled": 20,
  "steps begun again": 5,
  "a person stops everything": 50,
  "a person stops everything, and lets it go again": 20,
  "a person pauses the run": 50,
  "a person aborts the run": 20,
  "a person acts by hand on the run's node, and aborts the run": 30,
  "a person stops everything, and lets it go after 20 minutes": 8,
  "a person takes the run over": 10,
  "a person answers": 50,
  "a person plans the same again": 20,
  "a person plans something else on the same": 30,
  "a person plans something that needs nothing of the run's": 30,
  "a person migrates a guest": 50,
  "a person fails a guest over": 20,
  "a guest is moved beside Ganeti, where it is not understood": 20,
  "a person stops a guest": 30,
  "a person starts a guest": 20,
  "a person removes an instance, and another one gets its minors and ports": 20,
  "a person replaces a guest's disks": 20,
  "a person activates a guest's disks": 10,
  "a person drains a node": 10,
  "a person invalidates a copy": 20,
  "a person pulls a disk out, and puts another one in": 20,
  "a person forbids everything on a node": 20,
  "an agent is killed": 50,
  "the orchestrator is killed": 50,
  "an agent is frozen": 50,
  "the orchestrator is frozen": 30,
  "a node loses its power, and comes back": 20,
  "a node that was away comes back": 50,
  "a dead node lives for a while": 5,
  "the master moves": 30,
  "two nodes do not see each other": 30,
  "a node is cut off": 20,
  "what one node sends does not come to another": 30,
  "messages are late": 30,
  "requests come twice": 30,
  "a request is lost": 30,
  "a request of an older leader comes": 30,
  "a machine is slow": 30,
  "readings are late, damaged or missing": 50,
  "one row of a reading is not understood": 40,
  "commands take their time": 40,
  "a disk is full": 20,
  "a clock jumps": 20,
  "a disk fails": 20,
  "a guest dies": 20,
  "a resync stalls": 20,
  "what stalled moves again by itself": 20,
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

/** From so many on: chance alone empties a small run. */
export const FLOOR_SEEDS = 500;

/** @returns what was exposed too seldom for this many seeds; empty: the run counts */
export function underFloor(counts: ReadonlyMap<Counted, number>, seeds: number): string[] {
  return Object.entries(FLOOR_PER_1000)
    .map(([what, per1000]) => ({ what: what as Counted, least: Math.floor((per1000 * seeds) / 1000) }))
    .filter(({ what, least }) => (counts.get(what) ?? 0) < least)
    .map(({ what, least }) => `${what}: ${counts.get(what) ?? 0}, and at least ${least} are needed`);
}
