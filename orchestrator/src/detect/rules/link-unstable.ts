/**
 * A link that is lost, or a resync that begins, again and again: each time it is whole again before anything else here
 * opens an incident, and for hours the mirror is hardly one. Cables, a full network, a ping timeout that is too short.
 */
import { IncidentKind, Severity } from "@vigie/proto";
import { UNREST_KEPT_MS } from "../../view/node-view.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

const OFTEN = 5; // a migration by Ganeti parts and connects the ends twice; a heal cuts once
const WINDOW_MIN = UNREST_KEPT_MS / 60_000;

export const linkUnstable: ResourceRule = {
  about: "resource",
  kind: IncidentKind.LINK_UNSTABLE,
  holdDownMs: 0,
  clearMs: 3_000,
  judge: (resource, ends, view) => {
    const unrest = ends.flatMap(({ end }) => view.nodes.get(end.node)?.unrest.get(end.minor) ?? []);
    const lost = Math.max(0, ...unrest.map(({ lostMs }) => lostMs.length));
    const resynced = Math.max(0, ...unrest.map(({ resyncedMs }) => resyncedMs.length));
    if (lost < OFTEN && resynced < OFTEN) return ends.some(({ unknown }) => unknown !== "") ? "unknown" : [];
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary: `${resourceName(resource)}: in ${WINDOW_MIN} min its link was lost ${lost} times, and a resync began ${resynced} times`,
        severity: Severity.WARNING,
        evidence: ends.map(endEvidence),
      },
    ];
  },
};
