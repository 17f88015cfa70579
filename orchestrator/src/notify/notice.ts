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
import { isInHand, isQuiet } from "../wording/quiet.js";
import { isWorse } from "../wording/worse.js";

/** What is remembered of an incident as it was. */
export type Seen = Pick<Incident, "severity" | "things" | "state" | "maintenance" | "snooze">;

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
 * Nothing that happens to an incident while it is quiet is news, but that it is over. What is told of it when it is quiet
 * no longer, and still open, is how it is then.
 *
 * @param before undefined: it is new
 * @param asked it was left to a person before, and nothing has worked on it since
 */
export function newsOfIncident(before: Seen | undefined, after: Incident, asked: boolean): News[] {
  const over = after.state === IncidentState.CLOSED;
  if (isQuiet(after) && !over) return [];
  const worse = before !== undefined && isWorse(after, before);
  const wasQuiet = before !== undefined && isQuiet(before) && !over;
  const causes = [
    ...(before === undefined ? [NoticeCause.OPENED] : []),
    ...(wasQuiet && !worse ? [NoticeCause.STILL_OPEN] : []),
    ...(worse ? [NoticeCause.WORSE] : []),
    ...(after.state === IncidentState.NEEDS_PERSON && !asked ? [NoticeCause.NEEDS_PERSON] : []),
    ...(over && before?.state !== IncidentState.CLOSED ? [NoticeCause.CLOSED] : []),
  ];
  return causes.map((cause) => ({ cause, about: after.id, severity: after.severity }));
}

/** Whether a person has been asked and nothing has worked on it since. While it is quiet nobody is. */
export function isAsked(incident: Seen, asked: boolean): boolean {
  if (isQuiet(incident)) return asked;
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

/**
 * All that waits: incidents, and runs that no waiting incident stands for. Not what somebody has in hand, nor its runs:
 * that such a run stops is told once.
 */
export function whatWaits(incidents: readonly Incident[], runs: readonly Run[]): Waiting[] {
  const inHand = new Set(incidents.filter(isInHand).map(({ id }) => id));
  const waiting = incidents.flatMap(({ id, severity, state }): Waiting[] => {
    if (inHand.has(id)) return [];
    if (state === IncidentState.NEEDS_PERSON) return [{ about: id, severity, asked: true }];
    const stands = state === IncidentState.OPEN && severity === Severity.CRITICAL;
    return stands ? [{ about: id, severity, asked: false }] : [];
  });
  const told = new Set([...waiting.filter((it) => it.asked).map(({ about }) => about), ...inHand]);
  const stopped = runs.filter((run) => stopsForPerson(run) && !told.has(run.plan?.incidentId ?? ""));
  return [...waiting, ...stopped.map(({ id }) => ({ about: id, severity: Severity.CRITICAL, asked: true }))];
}

/** All that is open and not quiet, for a receiver that is told again and again what is. */
export function whatStands(incidents: readonly Incident[], runs: readonly Run[]): Waiting[] {
  const loud = incidents.filter((it) => !isQuiet(it));
  const open = loud.map(({ id, severity }) => ({ about: id, severity, asked: false }));
  const stopped = runs.filter(stopsForPerson);
  return [...open, ...stopped.map(({ id }) => ({ about: id, severity: Severity.CRITICAL, asked: true }))];
}
