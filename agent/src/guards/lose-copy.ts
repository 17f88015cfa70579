/**
 * May this end lose its copy of one volume now: by a detach, or because the disk below it goes offline? A pure
 * decision over what was just read here and what the peer's agent read. The two ends must agree in everything that
 * each says of the other (I1, I7); what is not known refuses (I11).
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  Role,
  roleWord,
  type DrbdEnd,
  type DrbdMinor,
  type GuardFact,
  type PeerReport,
} from "@vigie/proto";
import { diskErrorsFact, endFacts, reportFacts, type EndSeen } from "./drbd-end.js";
import { ageFact, fact, unknownFact } from "./fact.js";
import { noCutFact, type CutsKnown } from "./no-cut.js";
import { sameGeneration } from "./same-generation.js";

export const REDUNDANT_MIN_MS = 10_000; // I10

/** What the agent read for this decision. */
export interface SeenForLoss extends EndSeen, CutsKnown {
  readonly own: DrbdMinor | undefined; // undefined: not listed, or its line was damaged
  readonly ownUnknownBecause: string; // why it is undefined
  readonly ownAgeMs: number;
  readonly ownRedundantMs: number; // 0: it is not redundant
  readonly currentUuid: string; // by `drbdsetup get-gi`; empty: not known
  readonly peerAgeMs: number | undefined; // upper bound; undefined: there is no report of the peer
}

/** `drbdsetup detach`: the disk must be there, whole, and so must the peer's. */
export function judgeDetach(
  end: DrbdEnd | undefined,
  report: PeerReport | undefined,
  seen: SeenForLoss,
): GuardFact[] {
  return judge(end, report, seen, DiskState.UP_TO_DATE);
}

/** As a detach; or it is Diskless already, and has nothing to lose. */
export function judgeGoesOffline(
  end: DrbdEnd | undefined,
  report: PeerReport | undefined,
  seen: SeenForLoss,
): GuardFact[] {
  const lost = seen.own?.disk === DiskState.DISKLESS;
  return judge(end, report, seen, lost ? DiskState.DISKLESS : DiskState.UP_TO_DATE);
}

function judge(
  end: DrbdEnd | undefined,
  report: PeerReport | undefined,
  seen: SeenForLoss,
  ownDisk: DiskState,
): GuardFact[] {
  const whole = ownDisk === DiskState.UP_TO_DATE;
  return [
    ...endFacts(end, seen, whole ? {} : { disk: "perhaps" }),
    ...ownFacts(seen, ownDisk, whole),
    ...peerFacts(end, report, seen, ownDisk, whole),
    noCutFact(end, seen),
  ];
}

function ownFacts(seen: SeenForLoss, ownDisk: DiskState, whole: boolean): GuardFact[] {
  const { own } = seen;
  if (own === undefined) return [unknownFact("own minor", seen.ownUnknownBecause)];
  const facts = [
    ageFact("own reading age", seen.ownAgeMs, "I14"),
    connected("own cs", own),
    fact("own disk", diskWord(own.disk), own.disk === ownDisk, "I1"),
    fact("own view of the peer's disk", diskWord(own.peerDisk), own.peerDisk === DiskState.UP_TO_DATE, "I1"),
    quiet("own I/O and resync", own),
  ];
  if (!whole) return facts;
  return [...facts, inSync("own out of sync", own), lasting("own redundancy", seen.ownRedundantMs)];
}

function peerFacts(
  end: DrbdEnd | undefined,
  report: PeerReport | undefined,
  seen: SeenForLoss,
  ownDisk: DiskState,
  whole: boolean,
): GuardFact[] {
  const { own, peerAgeMs } = seen;
  const peer = report?.drbd;
  if (report === undefined || peer === undefined || peerAgeMs === undefined)
    return [unknownFact("peer's report", "missing", "I7")];
  const facts = [
    ...reportFacts(end, report, peer, peerAgeMs),
    connected("peer's cs", peer),
    fact("peer's disk", diskWord(peer.disk), peer.disk === DiskState.UP_TO_DATE, "I1"),
    fact("peer's view of this disk", diskWord(peer.peerDisk), peer.peerDisk === ownDisk, "I7"),
    quiet("peer's I/O and resync", peer),
    diskErrorsFact(report),
    ...(whole ? [inSync("peer's out of sync", peer), lasting("peer's redundancy", report.redundantMs)] : []),
  ];
  if (own === undefined) return facts;
  return [...facts, ...rolesFacts(own, peer), ...(whole ? [generations(seen, report)] : [])];
}

function connected(name: string, minor: DrbdMinor): GuardFact {
  const alone = minor.connection === ConnectionState.STAND_ALONE;
  const holds = minor.connection === ConnectionState.CONNECTED;
  return fact(name, connectionWord(minor.connection), holds, alone ? "I8" : "I1");
}

/** Nothing of a resync or a verify goes on, and the application's requests do not wait. */
function quiet(name: string, minor: DrbdMinor): GuardFact {
  const what = minor.ioSuspended ? "I/O is suspended" : minor.resync === undefined ? "none" : "a resync runs";
  return fact(name, what, what === "none", "I1");
}

/** DRBD 8.0 does not print it: then nobody can say. */
function inSync(name: string, { outOfSyncKib }: DrbdMinor): GuardFact {
  const value = outOfSyncKib === undefined ? "not printed" : `${outOfSyncKib} KiB`;
  return fact(name, value, outOfSyncKib === 0, "I1");
}

function lasting(name: string, redundantMs: number): GuardFact {
  return fact(name, `for ${(redundantMs / 1000).toFixed(1)} s`, redundantMs >= REDUNDANT_MIN_MS, "I10");
}

/** What each end says of the other's role is what that one says itself (I7), and at most one is Primary (I8). */
function rolesFacts(own: DrbdMinor, peer: DrbdMinor): GuardFact[] {
  const value = `${roleWord(own.role)}/${roleWord(own.peerRole)} and ${roleWord(peer.role)}/${roleWord(peer.peerRole)}`;
  const known = [own.role, peer.role].every((role) => role === Role.PRIMARY || role === Role.SECONDARY);
  const agree = own.peerRole === peer.role && peer.peerRole === own.role;
  const two = own.role === Role.PRIMARY && peer.role === Role.PRIMARY;
  return [
    fact("roles as both ends see them", value, known && agree, "I7"),
    fact("Primaries", two ? "two" : "at most one", !two, "I8"),
  ];
}

/** Two histories are a person's matter; and what is not known of either end is none (I11). */
function generations({ currentUuid }: SeenForLoss, report: PeerReport): GuardFact {
  if (currentUuid === "") return unknownFact("own generation", "not known");
  if (report.currentUuid === "") return unknownFact("peer's generation", "not known");
  const value = `${currentUuid} and ${report.currentUuid}`;
  return fact("current generations", value, sameGeneration(currentUuid, report.currentUuid), "I8");
}
