/**
 * Primary on both ends of a link that stands, and no job of Ganeti's that migrates it: two guests may write to one disk,
 * and DRBD lets them. It is what a migration leaves that was ended in its middle.
 */
import { IncidentKind, Role, Severity } from "@vigie/proto";
import { isLinked } from "../../view/node-view.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

export const twoPrimaries: ResourceRule = {
  about: "resource",
  kind: IncidentKind.TWO_PRIMARIES,
  holdDownMs: 30_000, // between a job's end and the next reading of the inventory
  clearMs: 3_000,
  judge: (resource, ends, { inventory }) => {
    if (ends.length < 2) return [];
    if (inventory === undefined || ends.some(({ unknown }) => unknown !== "")) return "unknown";
    const both = ends.every(({ drbd }) => drbd?.role === Role.PRIMARY && isLinked(drbd));
    const { instance } = resource;
    if (!both || inventory.jobs.some(({ instances }) => instances.includes(instance))) return [];
    const where = ends.map(({ end }) => end.node).join(" and ");
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary: `${resourceName(resource)}: Primary on ${where}, and no job of Ganeti's migrates it: two guests could write to it`,
        severity: Severity.CRITICAL,
        evidence: ends.map(endEvidence),
      },
    ];
  },
};
