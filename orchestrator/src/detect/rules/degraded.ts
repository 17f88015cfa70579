/**
 * A mirror that is not one, for none of the reasons that have a rule of their own: waiting for its peer, an
 * Inconsistent or Outdated side that nothing resyncs, a resync that only one end knows of, one side not active while
 * the other is. Beside it, what is worse: no copy is UpToDate, and a guest whose I/O waits.
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  DrbdReasonKind,
  IncidentKind,
  replicates,
  Severity,
} from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { hasReason, isLogRead, reasonText } from "../../view/drbd-reasons.js";
import { isInSync, isResyncPaused, type EndView } from "../../view/end-view.js";
import { isRedundant } from "../../view/node-view.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { Resource } from "../../view/join.js";
import type { Finding, ResourceRule } from "../rule.js";
import { belongTogether } from "./stalled-sync.js";

export const degraded: ResourceRule = {
  about: "resource",
  kind: IncidentKind.DEGRADED,
  holdDownMs: 15_000, // a reconnect takes up to ten seconds (connect-int) and is nobody's business
  clearMs: 3_000,
  judge: (resource, ends, view) => {
    const known = ends.filter((end) => end.unknown === "");
    if (known.length === 0) return "unknown";
    if (known.length === ends.length && known.every((end) => end.inactive)) return []; // the instance is stopped
    const worse = [
      ...suspended(resource, ends),
      ...withoutCopy(resource, ends),
      ...noData(resource, ends, view),
    ];
    const unknown = unknownKeys(resource, ends, view);
    if (known.some(hasRuleOfItsOwn)) return { found: worse, unknown };
    const worst = known.find((end) => !end.inactive && !isHealthy(end, ends));
    const lonely = known.find((end) => end.inactive);
    if (worst === undefined && lonely === undefined)
      return { found: worse, unknown: known.length < ends.length ? "rest" : unknown };
    const why = worst === undefined ? `not active on ${lonely?.end.node ?? "?"}` : describe(worst, ends);
    const notRedundant = {
      key: "",
      subject: resourceSubject(resource),
      summary: `${resourceName(resource)}: not redundant, ${why}${reasonText(view, resource.ends)}`,
      severity: Severity.WARNING,
      evidence: ends.map(endEvidence),
    };
    return { found: [...worse, notRedundant], unknown };
  },
};

/** What was found may be so still, and only cannot be seen: an end that is not known, a log that is not read (I11). */
function unknownKeys(resource: Resource, ends: readonly EndView[], view: ClusterView): ReadonlySet<string> {
  return new Set([
    ...(ends.some(({ unknown }) => unknown !== "") ? ["suspended", "no-copy"] : []),
    ...(isLogRead(view, resource.ends) ? [] : ["no-data"]),
  ]);
}

function isHealthy({ drbd }: EndView, ends: readonly EndView[]): boolean {
  if (drbd === undefined) return false;
  return isRedundant(drbd) || (isInSync(drbd) && !isResyncPaused(drbd) && isSharedResync(ends));
}

/** Both ends know of it, or the other is not known; a resync that one end never left is stalled-sync's. */
function isSharedResync(ends: readonly EndView[]): boolean {
  return ends.some(({ unknown }) => unknown !== "") || belongTogether(ends);
}

/** The kernel holds every request of the guest back: to people it looks like a guest that hangs. */
function suspended(resource: Resource, ends: readonly EndView[]): Finding[] {
  const held = ends.find(({ unknown, drbd }) => unknown === "" && drbd?.ioSuspended === true);
  if (held === undefined) return [];
  return [
    {
      key: "suspended",
      subject: resourceSubject(resource),
      summary: `${resourceName(resource)}: I/O is suspended on ${held.end.node}, and the guest waits for it`,
      severity: Severity.CRITICAL,
      evidence: ends.map(endEvidence),
    },
  ];
}

/** Only where all ends are known: an end that is not may have the good copy (I11). */
function withoutCopy(resource: Resource, ends: readonly EndView[]): Finding[] {
  const disks = ends.map(({ drbd }) => drbd?.disk);
  if (ends.length < 2 || ends.some(({ unknown }) => unknown !== "")) return [];
  if (disks.includes(DiskState.UP_TO_DATE) || disks.includes(DiskState.NEGOTIATING)) return [];
  const states = ends.map(({ end, drbd, inactive }) => {
    const state = inactive || drbd === undefined ? "not active" : diskWord(drbd.disk);
    return `${state} on ${end.node}`;
  });
  return [
    {
      key: "no-copy",
      subject: resourceSubject(resource),
      summary: `${resourceName(resource)}: no copy is UpToDate: ${states.join(", ")}`,
      severity: Severity.CRITICAL,
      evidence: ends.map(endEvidence),
    },
  ];
}

/** To its guest a disk that fails; the states alone may look as if only one copy were lost. */
function noData(resource: Resource, ends: readonly EndView[], view: ClusterView): Finding[] {
  const at = resource.ends.find((end) => hasReason(view, end, DrbdReasonKind.NO_DATA));
  if (at === undefined) return [];
  return [
    {
      key: "no-data",
      subject: resourceSubject(resource),
      summary: `${resourceName(resource)}: its guest got I/O errors on ${at.node}, for no copy answered`,
      severity: Severity.CRITICAL,
      evidence: ends.map(endEvidence),
    },
  ];
}

function hasRuleOfItsOwn({ drbd }: EndView): boolean {
  return (
    drbd?.connection === ConnectionState.STAND_ALONE ||
    drbd?.disk === DiskState.DISKLESS ||
    drbd?.disk === DiskState.FAILED
  );
}

function describe({ end, drbd }: EndView, ends: readonly EndView[]): string {
  if (drbd === undefined) return `unknown on ${end.node}`;
  const other = ends.find((each) => each.end.node !== end.node);
  if (isInSync(drbd) && !isResyncPaused(drbd) && other?.drbd !== undefined)
    return `${connectionWord(drbd.connection)} on ${end.node} beside ${connectionWord(other.drbd.connection)} on ${other.end.node}: they do not know of one resync`;
  const { outOfSyncKib = 0 } = drbd;
  // Of two that are connected nothing resyncs it; of two that are apart it grows with every write, and says nothing.
  const differs = outOfSyncKib > 0 && replicates(drbd.connection) ? `, ${outOfSyncKib} KiB out of sync` : "";
  return `${connectionWord(drbd.connection)}, ${diskWord(drbd.disk)}/${diskWord(drbd.peerDisk)}${differs} on ${end.node}`;
}
