/**
 * The desk where incidents lie: it judges what reports and time bring, and keeps the open ones. It writes nothing
 * itself: each call returns the changes that must be kept.
 */
import { IncidentState, type Clock, type Incident } from "@vigie/proto";
import type { Change } from "../store/store.js";
import type { ClusterView } from "../view/cluster-view.js";
import { fold, judgeNode, judgeSubject, type DetectState, type Standing } from "../detect/detect.js";
import { closed, openIncident, told, type Moment } from "../detect/incident-log.js";
import type { DetectSettings } from "../detect/rule.js";

export interface Desk {
  /** Judges these nodes, and the disks that have an end on them. */
  readonly judge: (view: ClusterView, nodes: Iterable<string>) => Change[];
  readonly open: () => readonly Incident[];
  readonly find: (id: string) => Incident | undefined;
  /** The disk that an open incident is about, by the view's key; empty: it is about a node. */
  readonly resourceKey: (id: string) => string;
  readonly update: (incident: Incident) => Change[];
  readonly now: () => Moment;
}

/**
 * @param known open incidents of an earlier life: taken up when their finding is seen again, closed when it is not
 * @param isHeld an incident that a run works on is not closed under it: the run may be what made it look clear
 */
export function createDesk(
  clock: Clock,
  settings: DetectSettings,
  newId: () => string,
  known: readonly Incident[],
  isHeld: (incidentId: string) => boolean,
): Desk {
  let state: DetectState = new Map();
  const open = new Map<string, Incident>(known.map((incident) => [incident.id, incident]));
  const idOf = new Map<string, string>(); // a standing's key → its incident

  return {
    judge,
    open: () => [...open.values()],
    find: (id) => open.get(id),
    resourceKey: (id) => [...idOf].find(([, incident]) => incident === id)?.[0].split("|")[1] ?? "",
    update,
    now,
  };

  function judge(view: ClusterView, nodes: Iterable<string>): Change[] {
    const nowMs = clock.monotonicMs();
    const changes: Change[] = [];
    for (const name of nodes) {
      const folded = fold(state, judgeNode(view, name, nowMs, settings, state), nowMs, (key) =>
        isHeld(idOf.get(key) ?? ""),
      );
      state = folded.state;
      for (const { change, standing } of folded.changes) {
        changes.push(...(change === "open" ? opened(standing) : ended(standing)));
      }
    }
    if (known.length > 0) changes.push(...closeStale(view, nowMs));
    return changes;
  }

  function opened(standing: Standing): Change[] {
    const again = [...open.values()].find(
      (incident) => isOf(incident, standing) && ![...idOf.values()].includes(incident.id),
    );
    const incident =
      again === undefined
        ? openIncident(newId(), standing, now())
        : told(again, now(), "seen again after a restart");
    idOf.set(standing.key, incident.id);
    return update(incident);
  }

  function ended(standing: Standing): Change[] {
    const incident = open.get(idOf.get(standing.key) ?? "");
    idOf.delete(standing.key);
    return incident === undefined ? [] : update(closed(incident, now()));
  }

  /** Incidents of an earlier life whose finding did not come back: closed when their rule says clear, and only then. */
  function closeStale(view: ClusterView, nowMs: number): Change[] {
    const adopted = new Set(idOf.values());
    return [...open.values()]
      .filter((incident) => !adopted.has(incident.id) && !isHeld(incident.id))
      .filter(({ kind, subject }) => {
        const answer = subject === undefined ? "unknown" : judgeSubject(view, kind, subject, nowMs, settings);
        return answer !== "unknown" && answer.length === 0;
      })
      .flatMap((incident) => update(closed(incident, now())));
  }

  function update(incident: Incident): Change[] {
    if (incident.state === IncidentState.CLOSED) open.delete(incident.id);
    else open.set(incident.id, incident);
    const unixMs = clock.wallUnixMs();
    return [
      { record: "incident", incident },
      { record: "watch", unixMs, event: { $case: "incident", value: incident } },
    ];
  }

  function now(): Moment {
    return { monotonicMs: clock.monotonicMs(), unixMs: clock.wallUnixMs() };
  }
}

function isOf(incident: Incident, { kind, finding }: Standing): boolean {
  const { subject } = incident;
  const other = finding.subject;
  return (
    incident.kind === kind &&
    subject?.node === other.node &&
    subject.minor === other.minor &&
    subject.instance === other.instance &&
    subject.device === other.device &&
    subject.source === other.source
  );
}
