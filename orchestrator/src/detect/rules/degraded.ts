/**
 * A mirror that is not one, for none of the reasons that have a rule of their own: waiting for its peer, an
 * Inconsistent or Outdated side that nothing resyncs, one side not active while the other is.
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  IncidentKind,
  replicates,
  Severity,
} from "@vigie/proto";
import { isInSync, isResyncPaused, type EndView } from "../../view/end-view.js";
import { isRedundant } from "../../view/node-view.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

export const degraded: ResourceRule = {
  about: "resource",
  kind: IncidentKind.DEGRADED,
  holdDownMs: 15_000, // a reconnect takes up to ten seconds (connect-int) and is nobody's business
  clearMs: 3_000,
  judge: (resource, ends) => {
    const known = ends.filter((end) => end.unknown === "");
    if (known.length === 0) return "unknown";
    if (known.length === ends.length && known.every((end) => end.inactive)) return []; // the instance is stopped
    if (known.some(hasRuleOfItsOwn)) return [];
    const worst = known.find((end) => !end.inactive && !isHealthy(end));
    const lonely = known.find((end) => end.inactive);
    if (worst === undefined && lonely === undefined) return known.length < ends.length ? "unknown" : [];
    const why = worst === undefined ? `not active on ${lonely?.end.node ?? "?"}` : describe(worst);
    const summary = `${resourceName(resource)}: not redundant, ${why}`;
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary,
        severity: Severity.WARNING,
        evidence: ends.map(endEvidence),
      },
    ];
  },
};

function isHealthy({ drbd }: EndView): boolean {
  return drbd !== undefined && (isRedundant(drbd) || (isInSync(drbd) && !isResyncPaused(drbd)));
}

function hasRuleOfItsOwn({ drbd }: EndView): boolean {
  return (
    drbd?.connection === ConnectionState.STAND_ALONE ||
    drbd?.disk === DiskState.DISKLESS ||
    drbd?.disk === DiskState.FAILED
  );
}

function describe({ end, drbd }: EndView): string {
  if (drbd === undefined) return `unknown on ${end.node}`;
  const { outOfSyncKib = 0 } = drbd;
  // Of two that are connected nothing resyncs it; of two that are apart it grows with every write, and says nothing.
  const differs = outOfSyncKib > 0 && replicates(drbd.connection) ? `, ${outOfSyncKib} KiB out of sync` : "";
  return `${connectionWord(drbd.connection)}, ${diskWord(drbd.disk)}/${diskWord(drbd.peerDisk)}${differs} on ${end.node}`;
}
