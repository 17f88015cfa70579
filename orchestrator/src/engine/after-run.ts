/**
 * What a run means for its incident. An incident ends by observation and by nothing else; it is HEALING while its run is
 * at work, and no longer: what then is still seen is answered anew, or is a person's.
 */
import {
  IncidentKind,
  IncidentState,
  RunEventKind,
  RunState,
  type Incident,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import { awake } from "../detect/attention.js";
import { decided, followRun, type Moment } from "../detect/incident-log.js";
import { couldNotBegin, mayHaveChanged, wasGivenUp } from "./run-log.js";

/** Until then what a run has done is seen by every source: LVM is read each half minute, a node's health each minute. */
const SEEN_WITHIN_MS = 150_000;
const STALL_SEEN_WITHIN_MS = 15_000;

/** The incident with its run's newest row. */
export function afterRow(incident: Incident, run: Run, event: RunEvent, now: Moment): Incident {
  if (event.kind === RunEventKind.STEP_LOG) return incident; // what a job writes is kept with the run
  const next = followRun(incident, run, event);
  if (event.kind === RunEventKind.APPROVED) return { ...next, state: IncidentState.HEALING };
  const stopped = event.kind === RunEventKind.ENDED || event.kind === RunEventKind.FROZEN;
  return stopped && run.state !== RunState.SUCCEEDED ? afterStop(next, run, event, now) : next;
}

/** It ended without success, or stopped for a person. */
function afterStop(incident: Incident, run: Run, event: RunEvent, now: Moment): Incident {
  const nothingDone = event.kind === RunEventKind.ENDED && !mayHaveChanged(run);
  if (incident.maintenance !== undefined && nothingDone)
    return { ...incident, state: IncidentState.OPEN, runId: "" }; // it was withdrawn, or came too late
  if (couldNotBegin(run)) return { ...decided(incident, now, IncidentState.OPEN, [event.text]), runId: "" };
  const judged = decided(spokenFor(incident, now), now, IncidentState.NEEDS_PERSON, [event.text]);
  const again = nothingDone && !wasGivenUp(run.events);
  return again ? { ...judged, runId: "" } : judged; // refused before anything was done: it is looked at again
}

/** Who said that it can wait said so while it was being healed. */
function spokenFor(incident: Incident, now: Moment): Incident {
  const { acknowledgement, snooze, state } = incident;
  if (state !== IncidentState.HEALING || (acknowledgement ?? snooze) === undefined) return incident;
  return awake(incident, "its run did not help: what was said of it does not hold any more", now);
}

/** For how long an incident whose run has ended may still be HEALING. */
export function seenWithinMs({ kind }: Incident): number {
  return kind === IncidentKind.STALLED_SYNC ? STALL_SEEN_WITHIN_MS : SEEN_WITHIN_MS;
}

/**
 * The incident once that time is over and it is still seen: the run did not help, or not for long, or this process was
 * killed before it wrote what the run's end means.
 * @param run as the store has it; undefined: it does not
 */
export function afterEnd(incident: Incident, run: Run | undefined, now: Moment): Incident {
  const end = run?.events.findLast(({ kind }) => kind === RunEventKind.ENDED);
  if (run === undefined || end === undefined)
    return decided(incident, now, IncidentState.NEEDS_PERSON, [
      `what became of ${incident.runId} is not known`,
    ]);
  if (run.state !== RunState.SUCCEEDED) return afterStop(incident, run, end, now);
  const why = `${run.id} has ended, and it is not over`;
  return { ...decided(incident, now, IncidentState.OPEN, [why]), runId: "" };
}
