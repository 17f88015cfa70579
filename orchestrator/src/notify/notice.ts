/**
 * What of a change is worth a message. Pure: how it was and how it is go in. An incident that goes back to a person
 * because its plan was made anew has told so already: it is reminded of, and is no news.
 */
import {
  IncidentState,
  NoticeCause,
  RunEventKind,
  RunState,
  Severity,
  type Incident,
  type Run,
} from "@vigie/proto";
import { askedOf } from "../wording/progress.js";

/** What is remembered of an incident as it was. */
export type Seen = Pick<Incident, "severity" | "state">;

export interface News {
  readonly cause: NoticeCause;
  readonly about: string; // Incident.id or Run.id
  readonly severity: Severity;
}

const RANKS: Readonly<Record<Severity, number>> = {
  [Severity.UNSPECIFIED]: 0,
  [Severity.UNRECOGNIZED]: 0,
  [Severity.NOTICE]: 1,
  [Severity.WARNING]: 2,
  [Severity.CRITICAL]: 3,
};

/** 0 to 3: greater is worse. */
export function rankOf(severity: Severity): number {
  return RANKS[severity];
}

/**
 * @param before undefined: it is new
 * @param asked it was left to a person before, and nothing has worked on it since
 */
export function newsOfIncident(before: Seen | undefined, after: Incident, asked: boolean): News[] {
  const causes = [
    ...(before === undefined ? [NoticeCause.OPENED] : []),
    ...(before !== undefined && rankOf(after.severity) > rankOf(before.severity) ? [NoticeCause.WORSE] : []),
    ...(after.state === IncidentState.NEEDS_PERSON && !asked ? [NoticeCause.NEEDS_PERSON] : []),
    ...(after.state === IncidentState.CLOSED && before?.state !== IncidentState.CLOSED
      ? [NoticeCause.CLOSED]
      : []),
  ];
  return causes.map((cause) => ({ cause, about: after.id, severity: after.severity }));
}

/** Whether a person has been asked and nothing has worked on it since. */
export function isAsked(incident: Incident, asked: boolean): boolean {
  if (incident.state === IncidentState.NEEDS_PERSON) return true;
  return asked && incident.state === IncidentState.OPEN;
}

/**
 * A run that stopped for a person who may not be looking at it.
 *
 * @param stopped it had before
 */
export function newsOfRun(stopped: boolean, after: Run): News[] {
  if (stopped || !stopsForPerson(after)) return [];
  return [{ cause: NoticeCause.RUN_WAITS, about: after.id, severity: Severity.CRITICAL }];
}

/** Not a plan that awaits approval, which its incident tells of, or whoever planned it sees; not a pause by a person. */
export function stopsForPerson(run: Run): boolean {
  if (run.state === RunState.FROZEN || askedOf(run) !== undefined) return true;
  if (run.state !== RunState.PAUSED) return false;
  return run.events.findLast(({ kind }) => kind === RunEventKind.PAUSE_ASKED)?.actor === "engine";
}

/** Something that stands and waits for a person. */
export interface Waiting {
  readonly about: string;
  readonly severity: Severity;
  /** A person was asked; otherwise it only stands, is critical, and nothing works on it. */
  readonly asked: boolean;
}

/** All that waits: incidents, and runs that no waiting incident stands for. */
export function whatWaits(incidents: readonly Incident[], runs: readonly Run[]): Waiting[] {
  const waiting = incidents.flatMap(({ id, severity, state }): Waiting[] => {
    if (state === IncidentState.NEEDS_PERSON) return [{ about: id, severity, asked: true }];
    const stands = state === IncidentState.OPEN && severity === Severity.CRITICAL;
    return stands ? [{ about: id, severity, asked: false }] : [];
  });
  const asked = new Set(waiting.filter((it) => it.asked).map(({ about }) => about));
  const stopped = runs.filter((run) => stopsForPerson(run) && !asked.has(run.plan?.incidentId ?? ""));
  return [...waiting, ...stopped.map(({ id }) => ({ about: id, severity: Severity.CRITICAL, asked: true }))];
}

/** All that is open, for a receiver that is told again and again what is. */
export function whatStands(incidents: readonly Incident[], runs: readonly Run[]): Waiting[] {
  const open = incidents.map(({ id, severity }) => ({ about: id, severity, asked: false }));
  const stopped = runs.filter(stopsForPerson);
  return [...open, ...stopped.map(({ id }) => ({ about: id, severity: Severity.CRITICAL, asked: true }))];
}
