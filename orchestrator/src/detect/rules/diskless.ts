/** A minor without its disk: it lives from its peer's, over the network, and that is the last copy. */
import { ConnectionState, DiskState, diskWord, IncidentKind, Severity } from "@vigie/proto";
import type { EndView } from "../../view/end-view.js";
import { endEvidence, endSubject, resourceName } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

const WITHOUT_DISK = new Set<DiskState>([DiskState.DISKLESS, DiskState.FAILED, DiskState.DETACHING]);

export const diskless: ResourceRule = {
  about: "resource",
  kind: IncidentKind.DISKLESS,
  holdDownMs: 500, // assembling a minor passes through Diskless for a moment
  clearMs: 2_000,
  judge: (resource, ends) => {
    const without = ends.filter(hasNoDisk);
    if (without.length === 0) return ends.some((e) => e.unknown !== "") ? "unknown" : [];
    return without.map((end) => ({
      key: end.end.node,
      subject: endSubject(resource, end),
      summary: `${resourceName(resource)}: ${diskWord(end.drbd?.disk ?? DiskState.DISKLESS)} on ${end.end.node}; the other side is the only copy`,
      severity: Severity.CRITICAL,
      evidence: ends.map(endEvidence),
    }));
  },
};

function hasNoDisk({ unknown, drbd }: EndView): boolean {
  if (unknown !== "" || drbd === undefined || drbd.connection === ConnectionState.UNCONFIGURED) return false;
  return WITHOUT_DISK.has(drbd.disk);
}
