/** The one command for an incident or a run that waits for somebody, and why. The status screen and messages say the same. */
import { IncidentState, RunState, type Incident, type Run } from "@vigie/proto";
import type { Hint } from "./command-line.js";
import { askedOf } from "./progress.js";

/** After its planning, what awaits approval is planned again (I32). */
export const APPROVAL_WITHIN_MS = 15 * 60_000;

const PROPOSED = "proposed: "; // before the command, among an incident's reasons

/** What a run waits for that only a person can give; undefined: it waits for nobody. */
export function personsStep(run: Run): Hint | undefined {
  const asked = askedOf(run);
  if (asked !== undefined)
    return { command: `vigie run continue ${run.id}`, why: `when it is so: ${asked.question}` };
  if (run.state === RunState.FROZEN)
    return { command: `vigie run show ${run.id}`, why: "frozen, a person must look" };
  if (run.state === RunState.AWAITING_APPROVAL)
    return { command: `vigie approve ${run.id}`, why: "read the plan and approve" };
  return undefined;
}

/** @param run the incident's own, where it is open */
export function incidentStep(incident: Incident, run?: Run): Hint {
  const asked = run === undefined ? undefined : personsStep(run);
  if (asked !== undefined) return asked;
  const show = `vigie incident show ${incident.id}`;
  if (incident.state === IncidentState.NEEDS_PERSON) return { command: show, why: "waits for a person" };
  const proposed = incident.decision.find((it) => it.startsWith(PROPOSED))?.slice(PROPOSED.length);
  if (proposed !== undefined) return { command: proposed, why: whyProposed(proposed) };
  return { command: show, why: "evidence and reasons" };
}

/** A runbook shows its plan first; what a person types acts at once. */
function whyProposed(command: string): string {
  return command.startsWith("vigie ") ? "see the plan, and say yes or no" : "by hand, for no runbook does it";
}
