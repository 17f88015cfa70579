/** A resync that moves, and will take longer than anybody would like to be without redundancy: with a forecast. */
import { IncidentKind, Severity } from "@vigie/proto";
import { isInSync, isResyncPaused } from "../../view/end-view.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

const HOUR_S = 3_600;

export const resyncSlow: ResourceRule = {
  about: "resource",
  kind: IncidentKind.RESYNC_SLOW,
  holdDownMs: 300_000, // the kernel's average says little before
  clearMs: 60_000,
  judge: (resource, ends, _view, { stallAfterMs, resyncSlowAfterMs }) => {
    const known = ends.filter((end) => end.unknown === "" && end.drbd !== undefined);
    if (known.length === 0) return "unknown";
    if (!known.some(({ drbd }) => drbd?.resync !== undefined)) return [];
    const left = known.flatMap(({ drbd, stillMs }) => {
      const resync = drbd !== undefined && isInSync(drbd) && !isResyncPaused(drbd) ? drbd.resync : undefined;
      if (resync === undefined || resync.verify || stillMs >= stallAfterMs) return [];
      const kibPerS = resync.averageSpeedKibPerS ?? resync.speedKibPerS;
      if (kibPerS === undefined || resync.leftKib === 0) return [];
      return [{ seconds: kibPerS > 0 ? resync.leftKib / kibPerS : Infinity, kibPerS }];
    });
    const slowest = left.toSorted((a, b) => b.seconds - a.seconds)[0];
    if (slowest === undefined || slowest.seconds * 1000 < resyncSlowAfterMs) return [];
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary: `${resourceName(resource)}: the resync ${forecast(slowest.seconds)} at ${(slowest.kibPerS / 1024).toFixed(1)} MiB/s; until then there is one good copy`,
        severity: Severity.WARNING,
        evidence: known.map(endEvidence),
      },
    ];
  },
};

/** A guest that writes faster than its resync lets the rest grow: DRBD then prints a rate of 0, or below. */
function forecast(seconds: number): string {
  return Number.isFinite(seconds) ? `will take another ${(seconds / HOUR_S).toFixed(0)} h` : "will not end";
}
