/**
 * Who need not be told of an incident, and until when: a planned maintenance explains it, a person has it in hand, or it
 * can wait. What makes it worse ends what a person said. Each change is a value, as in incident-log.ts.
 */
import { IncidentState, type Incident } from "@vigie/proto";
import { isWorse, type Extent } from "../wording/worse.js";
import { told, type Moment } from "./incident-log.js";

/** What a person says of an incident. */
export interface Word {
  readonly person: string;
  readonly reason: string; // may be empty
}

/** It is expected from now on, or until another time than before. */
export function underMaintenance(
  incident: Incident,
  node: string,
  untilUnixMs: number,
  now: Moment,
): Incident {
  const maintenance = { node, untilUnixMs };
  if (incident.maintenance?.node === node) return { ...incident, maintenance };
  const text = `${node} is under maintenance: this is expected, nobody is told, and nothing is done about it`;
  const asked = incident.state === IncidentState.NEEDS_PERSON;
  const state = asked ? IncidentState.OPEN : incident.state;
  return { ...told(incident, now, text), maintenance, state, decision: [text] };
}

/** @param over the maintenance is; otherwise it goes on, and explains this no more */
export function notExpected(incident: Incident, over: boolean, now: Moment): Incident {
  const node = incident.maintenance?.node ?? "";
  const text = over
    ? `the maintenance of ${node} is over, and this is not`
    : `the maintenance of ${node} does not explain it any more`;
  const asked = incident.state === IncidentState.NEEDS_PERSON && incident.runId === "";
  const state = asked ? IncidentState.OPEN : incident.state; // it is decided now
  return { ...told(incident, now, text), maintenance: undefined, state };
}

export function acknowledged(incident: Incident, { person, reason }: Word, now: Moment): Incident {
  const next = told(incident, now, `acknowledged by ${person}${because(reason)}`);
  return { ...next, acknowledgement: { person, reason, unixMs: now.unixMs } };
}

export function snoozed(incident: Incident, { person, reason }: Word, forMs: number, now: Moment): Incident {
  const next = told(
    incident,
    now,
    `snoozed for ${Math.round(forMs / 60_000)} min by ${person}${because(reason)}`,
  );
  return { ...next, snooze: { person, reason, unixMs: now.unixMs, untilUnixMs: now.unixMs + forMs } };
}

export function awake(incident: Incident, why: string, now: Moment): Incident {
  return { ...told(incident, now, why), acknowledgement: undefined, snooze: undefined };
}

export function snoozeOver(incident: Incident, now: Moment): Incident {
  return { ...told(incident, now, "its snooze is over, and this is not"), snooze: undefined };
}

/** As it is after it was seen again: who said that it can wait did not speak of something worse. */
export function afterChange(incident: Incident, before: Extent, now: Moment): Incident {
  const { acknowledgement, snooze } = incident;
  if ((acknowledgement ?? snooze) === undefined || !isWorse(incident, before)) return incident;
  return awake(incident, "it became worse: what was said of it does not hold any more", now);
}

function because(reason: string): string {
  return reason === "" ? "" : `: ${reason}`;
}
