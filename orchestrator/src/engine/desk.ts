/**
 * The desk where incidents lie: it judges what reports and time bring, and keeps the open ones. It writes nothing
 * itself: each call returns the changes that must be kept.
 */
import { IncidentKind, IncidentState, type Clock, type Incident } from "@vigie/proto";
import type { Change } from "../store/store.js";
import type { ClusterView } from "../view/cluster-view.js";
import {
  fold,
  judgeGone,
  judgeNode,
  judgeSubject,
  subjectOf,
  type DetectState,
  type Judged,
  type Standing,
} from "../detect/detect.js";
import { afterChange } from "../detect/attention.js";
import {
  closed,
  followed,
  openIncident,
  told,
  withBoundedLog,
  withNewestLines,
  type Moment,
} from "../detect/incident-log.js";
import { foundBy, isKnown, type DetectSettings, type Finding } from "../detect/rule.js";
import type { AttentionKeeper } from "./attention-keeper.js";

/** The configured limit that a kind goes by. */
const LIMIT_OF: Readonly<Partial<Record<IncidentKind, keyof DetectSettings>>> = {
  [IncidentKind.STALLED_SYNC]: "stallAfterMs",
  [IncidentKind.NODE_SILENT]: "silentAfterMs",
  [IncidentKind.NODE_DEAD]: "silentAfterMs",
  [IncidentKind.RESYNC_SLOW]: "resyncSlowAfterMs",
};

/** A node that reports each second is judged by its reports; a thousand at one go would hold up their acknowledgements. */
const JUDGED_FOR_MS = 1_500;

const LINES_WATCHED = 10; // with the whole history in each event of it, an incident would cost the square of its length

export interface Desk {
  /** Judges this node, and the disks that have an end on it. */
  readonly judge: (view: ClusterView, node: string) => Change[];
  /** Judges what no report had judged a moment ago: silent nodes, what is no more, and what an earlier life left open. */
  readonly judgeAll: (view: ClusterView) => Change[];
  readonly open: () => readonly Incident[];
  readonly find: (id: string) => Incident | undefined;
  /** Its finding was seen by this life of the orchestrator. */
  readonly isSeen: (id: string) => boolean;
  /** The disk that an open incident is about, by the view's key; empty: it is about a node. */
  readonly resourceKey: (id: string) => string;
  readonly update: (incident: Incident) => Change[];
  readonly now: () => Moment;
}

/**
 * @param known open incidents of an earlier life: taken up when their finding is seen again, closed when it is not
 * @param isHeld an incident that a run works on is not closed under it: the run may be what made it look clear
 * @param logLines that an incident's history has at most
 */
export function createDesk(
  clock: Clock,
  settings: () => DetectSettings,
  newId: () => string,
  known: readonly Incident[],
  isHeld: (incidentId: string) => boolean,
  attention: AttentionKeeper,
  logLines: () => number,
): Desk {
  const states = new Map<string, DetectState>(); // by the node or disk it is about, where anything stands
  const open = new Map<string, Incident>(known.map((incident) => [incident.id, incident]));
  const idOf = new Map<string, string>(); // a standing's key → its incident
  const limits = new Map<string, DetectSettings>(); // by incident: when it was opened, or seen again
  const stale = new Set(open.keys()); // of an earlier life, and not seen again yet
  const judgedAtMs = new Map<string, number>(); // by node, of its last report
  const ON = { open: opened, follow, close: ended };

  return {
    judge,
    judgeAll,
    open: () => [...open.values()],
    find: (id) => open.get(id),
    isSeen: (id) => open.has(id) && !stale.has(id),
    resourceKey: (id) => [...idOf].find(([, incident]) => incident === id)?.[0].split("|")[1] ?? "",
    update,
    now,
  };

  function judge(view: ClusterView, node: string): Change[] {
    const nowMs = clock.monotonicMs();
    judgedAtMs.set(node, nowMs);
    return [...judgeOne(view, node, nowMs), ...closeStale(view, nowMs)];
  }

  function judgeAll(view: ClusterView): Change[] {
    const nowMs = clock.monotonicMs();
    const gone = [...states.keys()].flatMap((subject) => judgeGone(view, subject, nowMs));
    return [
      ...gone.flatMap((judged) => take(judged, view, nowMs)),
      ...[...view.nodes.keys()]
        .filter((node) => nowMs - (judgedAtMs.get(node) ?? 0) >= JUDGED_FOR_MS)
        .flatMap((node) => judgeOne(view, node, nowMs)),
      ...closeStale(view, nowMs),
      ...[...open.values()].flatMap((incident) => look(incident, view)),
    ];
  }

  /** Whether it is quiet now, or no longer. */
  function look(incident: Incident, view: ClusterView): Change[] {
    const next = attention.after(incident, view, !stale.has(incident.id), now());
    return next === incident ? [] : update(next);
  }

  function judgeOne(view: ClusterView, node: string, nowMs: number): Change[] {
    const stands = (subject: string): boolean => states.has(subject);
    return judgeNode(view, node, nowMs, settings(), stands).flatMap((judged) => take(judged, view, nowMs));
  }

  /** Folds one answer into what stands about its subject, and into nothing else: that is few, whatever stands in all. */
  function take(judged: Judged, view: ClusterView, nowMs: number): Change[] {
    const subject = subjectOf(judged.scope);
    const before: DetectState = states.get(subject) ?? new Map();
    const { state, changes } = fold(before, [judged], nowMs, (key) => isHeld(idOf.get(key) ?? ""));
    if (state.size > 0) states.set(subject, state);
    else states.delete(subject);
    return changes.flatMap(({ change, standing }) => ON[change](standing, view));
  }

  /** What is expected is quiet from its first moment on. */
  function opened(standing: Standing, view: ClusterView): Change[] {
    const again = [...stale]
      .map((id) => open.get(id))
      .find((it) => it !== undefined && isOf(it, standing.kind, standing.finding));
    const incident =
      again === undefined
        ? openIncident(newId(), standing, now())
        : afterChange(
            followed(told(again, now(), "seen again after a restart"), standing, now()),
            again,
            now(),
          );
    idOf.set(standing.key, incident.id);
    limits.set(incident.id, settings());
    stale.delete(incident.id);
    return update(attention.after(incident, view, true, now()));
  }

  function follow(standing: Standing, view: ClusterView): Change[] {
    const incident = open.get(idOf.get(standing.key) ?? "");
    if (incident === undefined) return [];
    const next = afterChange(followed(incident, standing, now()), incident, now());
    return update(attention.after(next, view, true, now()));
  }

  function ended(standing: Standing): Change[] {
    const incident = open.get(idOf.get(standing.key) ?? "");
    idOf.delete(standing.key);
    return incident === undefined ? [] : update(closed(incident, now(), limitsGrew(incident)));
  }

  /** What stands may be none any more only because the configuration says so now. */
  function limitsGrew({ id, kind }: Incident): boolean {
    const [then, is, limit] = [limits.get(id), settings(), LIMIT_OF[kind]];
    return then !== undefined && limit !== undefined && is[limit] > then[limit];
  }

  /** Incidents of an earlier life whose finding did not come back: closed when their rule says clear, and only then. */
  function closeStale(view: ClusterView, nowMs: number): Change[] {
    return [...stale]
      .map((id) => open.get(id))
      .filter((incident) => incident !== undefined)
      .filter(({ id }) => !isHeld(id))
      .filter((incident) => {
        const { kind, subject } = incident;
        const answer =
          subject === undefined ? "unknown" : judgeSubject(view, kind, subject, nowMs, settings());
        return isKnown(answer) && !foundBy(answer).some((finding) => isOf(incident, kind, finding));
      })
      .flatMap((incident) => update(closed(incident, now())));
  }

  function update(changed: Incident): Change[] {
    const incident = withBoundedLog(changed, logLines());
    if (incident.state === IncidentState.CLOSED) {
      open.delete(incident.id);
      stale.delete(incident.id);
      attention.forget(incident.id);
      limits.delete(incident.id);
    } else open.set(incident.id, incident);
    const unixMs = clock.wallUnixMs();
    const value = withNewestLines(incident, LINES_WATCHED);
    return [
      { record: "incident", incident },
      { record: "watch", unixMs, event: { $case: "incident", value } },
    ];
  }

  function now(): Moment {
    return { monotonicMs: clock.monotonicMs(), unixMs: clock.wallUnixMs() };
  }
}

/** An incident of a release that kept no finding's key is known by its subject alone. */
function isOf(incident: Incident, kind: IncidentKind, { key, subject: other }: Finding): boolean {
  const { subject, findingKey } = incident;
  return (
    incident.kind === kind &&
    (findingKey === "" || findingKey === key) &&
    subject?.node === other.node &&
    subject.minor === other.minor &&
    subject.instance === other.instance &&
    subject.device === other.device &&
    subject.source === other.source
  );
}
