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
import { endFacts, reportFacts, type EndSeen } from "./drbd-end.js";
import { ageFact, fact } from "./fact.js";
import { heldFacts, type HoldersSeen } from "./held-open.js";
import { noCutFact, type CutsKnown } from "./no-cut.js";
import { sameGeneration } from "./same-generation.js";

export interface SeenForDiscard extends EndSeen, CutsKnown {
  readonly own: DrbdMinor | undefined;
  readonly ownUnknownBecause: string;
  readonly ownAgeMs: number;
  readonly currentUuid: string; // by `drbdsetup get-gi`; empty: not known
  readonly held: HoldersSeen;
  readonly peerAgeMs: number | undefined;
  /** Name of the snapshot, where the node's LVM lists it as one of that volume's group; empty: it does not. */
  readonly snapshotFound: string;
}

export function judgeDiscard(params: DiscardVictim, seen: SeenForDiscard): GuardFact[] {
  const { end, typedNode, snapshotName } = params;
  return [
    ...endFacts(end, seen, { link: "perhaps" }),
    fact("node that was typed", typedNode, typedNode !== "" && typedNode === end?.node, "I13"),
    ...ownFacts(params, seen),
    ...heldFacts(seen.held),
    ...survivorFacts(params, seen),
    fact(
      "snapshot",
      snapshotName === "" ? "none: there was no room" : seen.snapshotFound || `${snapshotName} is not there`,
      snapshotName === "" || seen.snapshotFound === snapshotName,
      "",
    ),
    noCutFact(end, seen),
  ];
}

function ownFacts({ currentUuid }: DiscardVictim, seen: SeenForDiscard): GuardFact[] {
  const { own } = seen;
  if (own === undefined) return [fact("own minor", seen.ownUnknownBecause, false, "I11")];
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
    return [fact("peer's report", "missing", false, "I7")];
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
    fact("I/O errors of the peer's disk", String(report.diskErrors), report.diskErrors === 0, "I1"),
    fact("peer's I/O", peer.ioSuspended ? "suspended" : "not suspended", !peer.ioSuspended, "I1"),
  ];
}

/** The two do not talk: neither changes while this is looked at. */
function isApart({ connection }: DrbdMinor): boolean {
  return connection === ConnectionState.STAND_ALONE || connection === ConnectionState.WF_CONNECTION;
}
