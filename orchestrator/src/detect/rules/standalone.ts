/**
 * StandAlone: an end gave the connection up and will not try again. Often it is split brain; then both sides wrote,
 * and which one is thrown away is a person's decision (I8). Two rules of one question, so that they never both open.
 */
import { ConnectionState, DrbdReasonKind, IncidentKind, Role, Severity } from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { hasReason, isLogRead, reasonText } from "../../view/drbd-reasons.js";
import type { EndView } from "../../view/end-view.js";
import type { Resource } from "../../view/join.js";
import { endEvidence, resourceName, resourceSubject } from "../evidence.js";
import type { Answer, Finding, ResourceRule } from "../rule.js";

/** Migrating, Ganeti takes the ends apart twice, for some seconds each (ganeti lib/cmdlib/instance_migration.py). */
const PARTED_BY_GANETI_MS = 15_000;

/** Until Ganeti's queue was read again, which is each two seconds: the job that parted them may have begun since. */
const QUEUE_READ_MS = 5_000;

const FINISHED = { about: "resource", holdDownMs: 0, clearMs: 2_000 } as const;

export const standalone: ResourceRule = {
  ...FINISHED,
  holdDownMs: QUEUE_READ_MS,
  kind: IncidentKind.STANDALONE,
  judge: (resource, ends, view) => {
    const answer = standAloneEnds(ends);
    if (answer === "unknown" || answer.length === 0) return answer === "unknown" ? answer : [];
    if (isSplitBrain(ends, view)) return [];
    const where = answer.map(({ end }) => end.node).join(" and ");
    const why = reasonText(view, resource.ends);
    const summary = `${resourceName(resource)}: StandAlone on ${where}; the mirror is not being written${why}`;
    const parted = isAtWork(resource.instance, view) ? { holdDownMs: PARTED_BY_GANETI_MS } : {};
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary,
        severity: Severity.CRITICAL,
        evidence: ends.map(endEvidence),
        ...parted,
      },
    ];
  },
};

/** A job of Ganeti's, which may be what parted the ends, and then lets them meet again. */
function isAtWork(instance: string, view: ClusterView): boolean {
  const jobs = view.inventory?.jobs ?? [];
  return jobs.some(({ status, instances }) => status === "running" && instances.includes(instance));
}

export const splitBrain: ResourceRule = {
  ...FINISHED,
  kind: IncidentKind.SPLIT_BRAIN,
  judge: (resource, ends, view): Answer => {
    const answer = standAloneEnds(ends);
    const decided = decidedByDrbd(resource, ends, view);
    if (answer === "unknown") return decided.length > 0 ? { found: decided, unknown: "rest" } : answer;
    if (answer.length === 0 || !isSplitBrain(ends, view)) {
      if (isLogRead(view, resource.ends)) return decided;
      return { found: decided, unknown: new Set(answer.length === 0 ? ["decided"] : ["", "decided"]) };
    }
    const summary = `${resourceName(resource)}: split brain; a person must say which side is thrown away`;
    return [
      {
        key: "",
        subject: resourceSubject(resource),
        summary,
        severity: Severity.CRITICAL,
        evidence: ends.map(endEvidence),
      },
    ];
  },
};

/** An end that is known to be StandAlone is enough; without one, an unknown end leaves the question open. */
function standAloneEnds(ends: readonly EndView[]): EndView[] | "unknown" {
  const found = ends.filter((e) => e.unknown === "" && e.drbd?.connection === ConnectionState.STAND_ALONE);
  if (found.length > 0) return found;
  return ends.some((e) => e.unknown !== "") ? "unknown" : [];
}

/** Both Primary while apart, or the kernel said so, and the link has not stood since. */
function isSplitBrain(ends: readonly EndView[], view: ClusterView): boolean {
  const bothPrimary = ends.length === 2 && ends.every((e) => e.drbd?.role === Role.PRIMARY);
  return bothPrimary || ends.some(({ end }) => hasReason(view, end, DrbdReasonKind.SPLIT_BRAIN));
}

/** By its settings (after-sb-*) DRBD gave a side's writes up, and nobody was asked. Told for a day. */
function decidedByDrbd(resource: Resource, ends: readonly EndView[], view: ClusterView): Finding[] {
  const [a, b] = resource.ends;
  const lost = resource.ends.find((end) => hasReason(view, end, DrbdReasonKind.SPLIT_BRAIN_LOST));
  const won = resource.ends.find((end) => hasReason(view, end, DrbdReasonKind.SPLIT_BRAIN_WON));
  const loser = lost ?? (won === undefined ? undefined : won === a ? b : a);
  if (loser === undefined) return [];
  return [
    {
      key: "decided",
      subject: resourceSubject(resource),
      summary: `${resourceName(resource)}: DRBD ended a split brain by itself: what was written on ${loser.node} while they were apart is gone`,
      severity: Severity.WARNING,
      evidence: ends.map(endEvidence),
    },
  ];
}
