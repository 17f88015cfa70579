/**
 * May this DRBD link be cut now? A pure decision over what was just read at this end, and what the peer's agent
 * read. Every fact that was looked at is in the answer, so that the audit shows why; one that does not hold
 * refuses. Anything not known refuses too (I11).
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  CUT_TTL_MAX_S,
  diskWord,
  minimumCutS,
  Role,
  roleWord,
  type CutDrbdLink,
  type DrbdConfig,
  type DrbdMinor,
  type GuardFact,
  type LinkCut,
} from "@vigie/proto";
import type { TimedCut } from "../link-fence.js";
import { endFacts, reportFacts } from "./drbd-end.js";
import { workFact } from "./end-migration.js";
import { ageFact, fact, unknownFact } from "./fact.js";
import { fenceFacts, type FenceSeen } from "./fence.js";

export const STILL_MIN_MS = 5_000;

/** What the agent read for this decision. */
export interface SeenForCut {
  readonly own: DrbdMinor | undefined; // undefined: not listed, or its line was damaged
  readonly ownUnknownBecause: string; // why it is undefined
  readonly ownAgeMs: number;
  readonly ownStillMs: number | undefined; // undefined: it does not resync
  readonly bootId: string; // of this node, now
  readonly config: DrbdConfig | "unknown" | undefined;
  readonly cuts: readonly LinkCut[];
  readonly cutsUnknownBecause: string; // empty: all that stand are in `cuts`
  readonly peerAgeMs: number | undefined; // upper bound; undefined: there is no report of the peer
  readonly fence: (FenceSeen & { readonly of: TimedCut }) | undefined; // undefined: it is not made yet
  readonly migration: MigrationSeen;
}

/** Who says that the migration runs which made both ends Primary. */
export type MigrationSeen =
  | { readonly by: "nobody" } // none was named
  | { readonly by: "the orchestrator" } // this node is not the master, and cannot ask
  | { readonly by: "Ganeti"; readonly status: string; readonly summary: string };

export function judgeCut(params: CutDrbdLink, seen: SeenForCut): GuardFact[] {
  return [
    ...endFacts(params.end, seen),
    ...ownFacts(params, seen),
    ...peerFacts(params, seen),
    ...cutFacts(params, seen),
    ...(seen.fence === undefined ? [] : fenceFacts(seen.fence.of, seen.fence)),
  ];
}

function ownFacts(params: CutDrbdLink, seen: SeenForCut): GuardFact[] {
  const { own } = seen;
  if (own === undefined) return [unknownFact("own minor", seen.ownUnknownBecause)];
  const needed = Math.max(STILL_MIN_MS, params.minStillMs);
  return [
    ageFact("own reading age", seen.ownAgeMs, "I14"),
    fact(
      "own cs",
      connectionWord(own.connection),
      inSync(own),
      own.connection === ConnectionState.STAND_ALONE ? "I8" : "",
    ),
    fact("own resync paused", own.ioFlags, !isPaused(own), ""),
    stillFact("own still", seen.ownStillMs, (seen.ownStillMs ?? 0) >= needed, ""),
    primaryHasData("own", own),
  ];
}

function peerFacts(params: CutDrbdLink, seen: SeenForCut): GuardFact[] {
  const { own } = seen;
  const report = params.peer;
  const peer = report?.drbd;
  if (report === undefined || peer === undefined || seen.peerAgeMs === undefined)
    return [unknownFact("peer's report", "missing", "I7")];
  const identity = reportFacts(params.end, report, peer, seen.peerAgeMs);
  if (own === undefined) return identity;
  return [
    ...identity,
    fact(
      "peer's cs",
      connectionWord(peer.connection),
      endsAgree(own, peer),
      peer.connection === ConnectionState.STAND_ALONE ? "I8" : "I7",
    ),
    fact("peer's resync paused", peer.ioFlags, !isPaused(peer), ""),
    stillFact("peer still", report.stillMs, peerIsStill(params, peer), "I7"),
    primaryHasData("peer's", peer),
    rolesAgree(own, peer),
    ...primaryFacts(params, own, peer, seen.migration),
  ];
}

function cutFacts(params: CutDrbdLink, { config, cuts, cutsUnknownBecause }: SeenForCut): GuardFact[] {
  const standing = cuts.find((cut) => cut.port === params.end?.port); // whoever its peer is: one chain a port
  const life = lifeFact(params.ttlS, config);
  if (cutsUnknownBecause !== "")
    return [life, unknownFact("cut standing already", `unknown: ${cutsUnknownBecause}`)];
  const value = standing === undefined ? "none" : `of ${standing.runId}`;
  return [life, fact("cut standing already", value, standing === undefined, "I9")];
}

/** Long enough for the timers of this very link. */
function lifeFact(ttlS: number, config: SeenForCut["config"]): GuardFact {
  const name = "cut's time to live";
  if (config === "unknown") return unknownFact(name, `${ttlS} s, and the link's timers are not known`);
  const neededS = config === undefined ? CUT_TTL_MAX_S : minimumCutS(config);
  const holds = ttlS >= neededS && ttlS <= CUT_TTL_MAX_S;
  return fact(name, `${ttlS} s of ${neededS} to ${CUT_TTL_MAX_S}`, holds, "I19");
}

/**
 * The two ends of a resync name each other's part. One exception is enumerated: one end has finished (Connected,
 * nothing out of sync) and the other never left SyncSource, as in ganeti#1868.
 */
function endsAgree(own: DrbdMinor, peer: DrbdMinor): boolean {
  const pair = new Set([own.connection, peer.connection]);
  if (pair.has(ConnectionState.SYNC_SOURCE) && pair.has(ConnectionState.SYNC_TARGET)) return true;
  const other = own.connection === ConnectionState.SYNC_SOURCE ? peer : own;
  const bothDone = own.outOfSyncKib === 0 && peer.outOfSyncKib === 0;
  const otherIsDone = other.connection === ConnectionState.CONNECTED && other.disk === DiskState.UP_TO_DATE;
  const bothSources = pair.size === 1 && pair.has(ConnectionState.SYNC_SOURCE);
  return bothDone && (bothSources || (pair.has(ConnectionState.SYNC_SOURCE) && otherIsDone));
}

/** An end that has finished does not resync, so it has no stillness of its own. */
function peerIsStill(params: CutDrbdLink, peer: DrbdMinor): boolean {
  if (peer.connection === ConnectionState.CONNECTED) return true;
  return (params.peer?.stillMs ?? 0) >= Math.max(STILL_MIN_MS, params.minStillMs);
}

/** A Primary that reads through the link would lose its data with it: never cut that. */
function primaryHasData(whose: string, minor: DrbdMinor): GuardFact {
  const holds =
    minor.role === Role.SECONDARY || (minor.role === Role.PRIMARY && minor.disk === DiskState.UP_TO_DATE);
  return fact(
    `${whose} role and disk`,
    `${minor.role.replace("ROLE_", "").toLowerCase()}, ${diskWord(minor.disk)}`,
    holds,
    "I1",
  );
}

/** What each end says of the other is what the other says of itself (I7). */
function rolesAgree(own: DrbdMinor, peer: DrbdMinor): GuardFact {
  const value = `${roleWord(own.role)}/${roleWord(own.peerRole)} and ${roleWord(peer.role)}/${roleWord(peer.peerRole)}`;
  const holds = own.peerRole === peer.role && peer.peerRole === own.role;
  return fact("roles as both ends see them", value, holds, "I7");
}

/** Two are allowed to one migration of this very instance, and only while it runs (I8). */
function primaryFacts(
  { end, migrateJobId }: CutDrbdLink,
  own: DrbdMinor,
  peer: DrbdMinor,
  migration: MigrationSeen,
): GuardFact[] {
  const two = own.role === Role.PRIMARY && peer.role === Role.PRIMARY;
  if (!two) return [fact("Primaries", "at most one", true, "I8")];
  if (migrateJobId === 0 || migration.by === "nobody")
    return [fact("Primaries", "two, migrate job none", false, "I8")];
  const primaries = fact("Primaries", `two, migrate job ${migrateJobId}`, true, "I8");
  if (migration.by === "the orchestrator")
    return [primaries, fact("its migration", "runs, by the orchestrator's word", true, "I8")];
  return [
    primaries,
    fact("its migration", migration.status, migration.status === "running", "I8"),
    workFact(migration.summary, end?.instance ?? ""),
  ];
}

function inSync(minor: DrbdMinor): boolean {
  return minor.connection === ConnectionState.SYNC_SOURCE || minor.connection === ConnectionState.SYNC_TARGET;
}

function isPaused(minor: DrbdMinor): boolean {
  return (
    minor.resyncPausedByDependency ||
    minor.resyncPausedByPeer ||
    minor.resyncPausedByUser ||
    minor.ioSuspended
  );
}

/** How long nothing has moved is counted from the agent's start on: too short a time may only be too short a watch. */
function stillFact(name: string, ms: number | undefined, holds: boolean, invariant: string): GuardFact {
  return { ...fact(name, still(ms), holds, invariant), early: !holds };
}

function still(ms: number | undefined): string {
  return ms === undefined ? "not resyncing" : `for ${(ms / 1000).toFixed(1)} s`;
}
