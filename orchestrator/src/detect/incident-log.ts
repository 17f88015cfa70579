/**
 * Incidents as records: opened from a finding, told what happens to them, closed by an observation and by nothing
 * else. Each change is a value; who holds the store writes it.
 */
import { Incident, IncidentKind, IncidentState, type Severity, type Run, type RunEvent } from "@vigie/proto";
import { withoutFigures, type Standing } from "./detect.js";

const FIRST_LINES = 10; // how it began is kept for as long as the incident is

export interface Moment {
  readonly monotonicMs: number;
  readonly unixMs: number;
}

export function openIncident(id: string, standing: Standing, now: Moment): Incident {
  const { finding, kind } = standing;
  const { lastProgressMs } = finding;
  const lastProgressUnixMs =
    lastProgressMs === undefined ? 0 : Math.round(now.unixMs - (now.monotonicMs - lastProgressMs));
  const incident = Incident.create({
    id,
    kind,
    severity: finding.severity,
    state: IncidentState.OPEN,
    subject: finding.subject,
    findingKey: finding.key,
    summary: finding.summary,
    evidence: [...finding.evidence],
    things: finding.things ?? 0,
    openedUnixMs: now.unixMs,
    lastProgressUnixMs,
  });
  const early =
    lastProgressUnixMs === 0
      ? incident
      : told(incident, { ...now, unixMs: lastProgressUnixMs }, "the resync moved for the last time");
  return told(early, now, `seen: ${finding.summary}`);
}

/** The incident with what is seen now. What only grew is not worth a line of its own. */
export function followed(incident: Incident, { finding }: Standing, now: Moment): Incident {
  const { severity, subject, summary, evidence, key: findingKey, things = 0 } = finding;
  const next = { ...incident, severity, subject, findingKey, summary, evidence: [...evidence], things };
  if (severity !== incident.severity) return told(next, now, `${word(severity)} now: ${summary}`);
  const same = withoutFigures(summary) === withoutFigures(incident.summary);
  return same ? next : told(next, now, `seen: ${summary}`);
}

function word(severity: Severity): string {
  return severity.replace("SEVERITY_", "").toLowerCase();
}

export function told(incident: Incident, now: Moment, text: string): Incident {
  return { ...incident, events: [...incident.events, { unixMs: now.unixMs, text }] };
}

/**
 * The incident with at most so many lines of history. How it began and what was last stay; what is left out between
 * them is said in their place.
 */
export function withBoundedLog(incident: Incident, lines: number): Incident {
  if (incident.events.length <= lines) return incident;
  const isCut = incident.eventsLeftOut > 0;
  const first = incident.events.slice(0, FIRST_LINES);
  const rest = incident.events.slice(isCut ? FIRST_LINES + 1 : FIRST_LINES);
  const dropped = rest.slice(0, rest.length - (lines - FIRST_LINES - 1));
  const eventsLeftOut = incident.eventsLeftOut + dropped.length;
  const gap = { unixMs: dropped.at(-1)?.unixMs ?? 0, text: `(${eventsLeftOut} lines are left out here)` };
  return { ...incident, events: [...first, gap, ...rest.slice(dropped.length)], eventsLeftOut };
}

/** The incident with its newest lines alone, as its watchers are told each change of it. */
export function withNewestLines(incident: Incident, lines: number): Incident {
  const { events, eventsLeftOut } = incident;
  const told = eventsLeftOut === 0 ? events.length : events.length - 1 + eventsLeftOut;
  const newest = events.slice(-lines);
  return { ...incident, events: newest, eventsLeftOut: told - newest.length };
}

/** @param limitsGrew a configured limit is longer than when it was opened: it may stand, and be none any more */
export function closed(incident: Incident, now: Moment, limitsGrew = false): Incident {
  if (limitsGrew) {
    const why = "closed: it is within the limits of [detect], which were changed since";
    return { ...told(incident, now, why), state: IncidentState.CLOSED, closedUnixMs: now.unixMs };
  }
  const how =
    incident.kind === IncidentKind.STALLED_SYNC
      ? "observation says that it is over: the resync moves or is done"
      : "observation says that it is over";
  return { ...told(incident, now, `closed: ${how}`), state: IncidentState.CLOSED, closedUnixMs: now.unixMs };
}

export function decided(
  incident: Incident,
  now: Moment,
  state: IncidentState,
  reasons: readonly string[],
): Incident {
  const text =
    state === IncidentState.NEEDS_PERSON
      ? `left to a person: ${reasons.join("; ")}`
      : `decided: ${reasons.join("; ")}`;
  return { ...told(incident, now, text), state, decision: [...reasons] };
}

export function underRun(incident: Incident, run: Run, now: Moment): Incident {
  const manualCommands = (run.plan?.steps ?? []).flatMap((step) => step.manualCommands);
  return { ...told(incident, now, `run ${run.id} (${run.plan?.runbook})`), runId: run.id, manualCommands };
}

/** A run's row as the incident's timeline tells it. */
export function followRun(incident: Incident, run: Run, event: RunEvent): Incident {
  const step = event.stepId === "" ? "" : `${event.stepId} `;
  const what = event.kind.replace("RUN_EVENT_KIND_", "").toLowerCase().replaceAll("_", " ");
  const text = `${run.id} ${step}${what}${event.text === "" ? "" : `: ${event.text}`}`;
  return told(incident, { monotonicMs: 0, unixMs: event.unixMs }, text);
}
