/**
 * Colours by meaning. Unknown is never green (design 9): it has a colour of its own, so that it is not mistaken for
 * a warning that somebody already understands.
 */
import { Health, IncidentState, RunState, Severity } from "@vigie/proto";
import type { Paint, Screen } from "./screen.js";

export function healthPaint(health: Health, { colour }: Screen): Paint {
  switch (health) {
    case Health.OK:
      return colour.green;
    case Health.RESYNCING:
      return colour.cyan;
    case Health.DEGRADED:
      return colour.yellow;
    case Health.STALLED:
      return colour.red;
    case Health.UNSPECIFIED:
      return colour.dim; // inactive: its instance is stopped
    case Health.UNKNOWN:
    case Health.UNRECOGNIZED:
      return colour.magenta;
  }
  return colour.magenta;
}

export function severityPaint(severity: Severity, { colour }: Screen): Paint {
  if (severity === Severity.CRITICAL) return colour.red;
  if (severity === Severity.WARNING) return colour.yellow;
  return severity === Severity.NOTICE ? colour.cyan : colour.magenta;
}

export function incidentStatePaint(state: IncidentState, { colour }: Screen): Paint {
  if (state === IncidentState.CLOSED) return colour.green;
  if (state === IncidentState.HEALING) return colour.cyan;
  return state === IncidentState.NEEDS_PERSON ? colour.red : colour.yellow;
}

export function runStatePaint(state: RunState, { colour }: Screen): Paint {
  switch (state) {
    case RunState.SUCCEEDED:
      return colour.green;
    case RunState.RUNNING:
    case RunState.WAITING:
      return colour.cyan;
    case RunState.PLANNED:
      return colour.dim; // shown, and not kept
    case RunState.AWAITING_APPROVAL:
    case RunState.PAUSED:
    case RunState.UNDOING:
    case RunState.ABORTED:
      return colour.yellow;
    case RunState.FROZEN:
    case RunState.FAILED:
      return colour.red;
    case RunState.UNSPECIFIED:
    case RunState.UNRECOGNIZED:
      return colour.magenta;
  }
  return colour.magenta;
}

/** Good or not, for facts of which there are two kinds. */
export function yesPaint(good: boolean, { colour }: Screen): Paint {
  return good ? colour.green : colour.red;
}
