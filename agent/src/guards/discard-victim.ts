/**
 * May this side of a split brain give its data up? The only place where data is given up (safety 2): only after a
 * person typed this node, with both generations on the screen, and only while the other side has all of it.
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  Role,
  roleWord,
  type DiscardVictim,
  type DrbdMinor,
  type GuardFact,
} from "@vigie/proto";
import { diskErrorsFact, endFacts, reportFacts, type EndSeen } from "./drbd-end.js";
import { ageFact, fact, unknownFact } from "./fact.js";
import { heldFacts, type HoldersSeen } from "./held-open.js";
import { noCutFact, type CutsKnown } from "./no-cut.js";
import { sameGeneration } from "./same-generation.js";
import { whyNoSnapshotOf, type Snapshot } from "./sound-snapshot.js";

export interface SeenForDiscard extends EndSeen, CutsKnown {
  readonly own: DrbdMinor | undefined;
  readonly ownUnknownBecause: string;
  readonly ownAgeMs: number;
  readonly currentUuid: string; // by `drbdsetup get-gi`; empty: not known
  readonly held: HoldersSeen;
  readonly peerAgeMs: number | undefined;
  readonly snapshot: Snapshot | string; // as LVM lists it; a text: why there is none
}

export function judgeDiscard(params: DiscardVictim, seen: SeenForDiscard): GuardFact[] {
  const { end, typedNode } = params;
  return [
    ...endFacts(end, seen, { link: "perhaps" }),
    fact("node that was typed", typedNode, typedNode !== "" && typedNode === end?.node, "I13"),
    ...ownFacts(params, seen),
    ...heldFacts(seen.held),
    ...survivorFacts(params, seen),
    snapshotFact(params, seen.snapshot),
    noCutFact(end, seen),
  ];
}

function ownFacts({ currentUuid }: DiscardVictim, seen: SeenForDiscard): GuardFact[] {
  const { own } = seen;
  if (own === undefined) return [unknownFact("own minor", seen.ownUnknownBecause)];
  return [
    ageFact("own reading age", seen.ownAgeMs, "I14"),
    fact("own cs", connectionWord(own.connection), isApart(own), "I8"),
    fact("own role", roleWord(own.role), own.role === Role.PRIMARY || own.role === Role.SECONDARY, "I11"),
    fact(
      "own generation",
      seen.currentUuid || "not known",
      sameGeneration(seen.currentUuid, currentUuid),
      "I13",
    ),
  ];
}

function survivorFacts(
  { end, peer: report, survivorUuid }: DiscardVictim,
  { peerAgeMs }: SeenForDiscard,
): GuardFact[] {
  const peer = report?.drbd;
  if (report === undefined || peer === undefined || peerAgeMs === undefined)
    return [unknownFact("peer's report", "missing", "I7")];
  return [
    ...reportFacts(end, report, peer, peerAgeMs),
    fact(
      "peer's generation",
      report.currentUuid || "not known",
      sameGeneration(report.currentUuid, survivorUuid),
      report.currentUuid === "" ? "I11" : "I13",
    ),
    fact("peer's cs", connectionWord(peer.connection), isApart(peer), "I7"),
    fact("peer's disk", diskWord(peer.disk), peer.disk === DiskState.UP_TO_DATE, "I1"),
    diskErrorsFact(report),
    fact("peer's I/O", peer.ioSuspended ? "suspended" : "not suspended", !peer.ioSuspended, "I1"),
  ];
}

/** What keeps the data that is given up: of this very volume, and sound. */
function snapshotFact({ end, snapshotName }: DiscardVictim, snapshot: Snapshot | string): GuardFact {
  if (snapshotName === "") return fact("snapshot", "none: there was no room", true, "");
  if (typeof snapshot === "string") return unknownFact("snapshot", `${snapshotName}: ${snapshot}`);
  const why =
    snapshot.lvName === snapshotName ? whyNoSnapshotOf(end?.dataLv ?? "", snapshot) : "is not listed";
  return fact("snapshot", why === "" ? snapshotName : `${snapshotName} ${why}`, why === "", "I1");
}

/** The two do not talk: neither changes while this is looked at. */
function isApart({ connection }: DrbdMinor): boolean {
  return connection === ConnectionState.STAND_ALONE || connection === ConnectionState.WF_CONNECTION;
}
