/**
 * A minor of a stopped instance that could not be taken down, because somebody holds it open: still Primary on its node,
 * while the other end is gone. With both ends up somebody activated the disks on purpose, and that is no incident.
 */
import { IncidentKind, Role, Severity } from "@vigie/proto";
import { endEvidence, endSubject, resourceName } from "../evidence.js";
import type { ResourceRule } from "../rule.js";

export const heldDevice: ResourceRule = {
  about: "resource",
  kind: IncidentKind.HELD_DEVICE,
  holdDownMs: 60_000, // a stop takes its time
  clearMs: 3_000,
  judge: (resource, ends, view) => {
    const instance = view.instances.get(resource.instance);
    if (instance?.adminState !== "down" || ends.length !== 2) return [];
    if (ends.some(({ unknown }) => unknown !== "")) return "unknown";
    const held = ends.find(({ drbd }) => drbd?.role === Role.PRIMARY);
    if (held === undefined || !ends.some((end) => end !== held && end.inactive)) return [];
    return [
      {
        key: "",
        subject: endSubject(resource, held),
        summary: `${resourceName(resource)}: the instance is stopped, and minor ${held.end.minor} on ${held.end.node} is still held open`,
        severity: Severity.WARNING,
        evidence: ends.map(endEvidence),
      },
    ];
  },
};
