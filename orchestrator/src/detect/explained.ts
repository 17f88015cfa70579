/**
 * Whether a planned maintenance of a node explains an incident: it is what anybody expects while that node reboots, and
 * all else about it is known to be well. Whatever is not on this list, or cannot be determined, is not explained and is
 * told as ever (I11): a copy elsewhere that is not UpToDate, a split brain, two Primaries, a disk that fails, on the node
 * itself too. It only answers what people hear: no guard, no limit of the policy and no plan asks it.
 */
import {
  ConnectionState,
  DiskState,
  IncidentKind,
  Role,
  Source,
  SourceState,
  type DrbdMinor,
  type Incident,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, FRESH_MS, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { isLinked } from "../view/node-view.js";
import { isAbout } from "./evidence.js";

type About = Pick<Incident, "kind" | "subject" | "findingKey">;

/**
 * @param nodes under planned maintenance now
 * @returns the one that explains it; undefined: none does, or that is not known
 */
export function explainedBy(
  incident: About,
  view: ClusterView,
  nodes: readonly string[],
  nowMs: number,
): string | undefined {
  return nodes.find((node) => EXPECTED[incident.kind]?.(incident, view, node, nowMs) === true);
}

type Judge = (incident: About, view: ClusterView, node: string, nowMs: number) => boolean;

const isThere: Judge = ({ subject }, _view, node) => subject?.node === node;

/** What may be expected of a node's absence; no other kind ever is. */
const EXPECTED: Readonly<Partial<Record<IncidentKind, Judge>>> = {
  [IncidentKind.NODE_SILENT]: isThere,
  [IncidentKind.NODE_DEAD]: isThere,
  [IncidentKind.GUEST_DOWN]: isThere, // of those that have their primary node there
  [IncidentKind.SOURCE_DAMAGED]: cannotBeRead,
  /** Of what a node lacks, a daemon of Ganeti's alone, which the key names. */
  [IncidentKind.NODE_UNHEALTHY]: (incident, view, node, nowMs) =>
    isThere(incident, view, node, nowMs) && incident.findingKey.startsWith("ganeti-"),
  /** The key is the node whose end has no disk. */
  [IncidentKind.DISKLESS]: (incident, view, node, nowMs) =>
    incident.findingKey === node && isCopyElsewhereGood(incident, view, node, nowMs),
  /** With a key: no copy is UpToDate, or a guest's I/O waits. */
  [IncidentKind.DEGRADED]: (incident, view, node, nowMs) =>
    incident.findingKey === "" && isCopyElsewhereGood(incident, view, node, nowMs),
};

/** What the master tells of the whole cluster is missed everywhere, and not on its node alone. */
const OF_THE_CLUSTER: ReadonlySet<Source> = new Set([Source.GANETI, Source.SSCONF]);

/** As when its daemons stop before its agent does: less is missing than with a node that is silent. */
function cannotBeRead({ subject }: About, view: ClusterView, node: string): boolean {
  if (subject?.node !== node || OF_THE_CLUSTER.has(subject.source)) return false;
  const report = view.nodes.get(node)?.sources.get(subject.source)?.report;
  return report?.state === SourceState.FAILED && report.damaged.length === 0;
}

function isCopyElsewhereGood({ subject }: About, view: ClusterView, node: string, nowMs: number): boolean {
  if (subject === undefined) return false;
  const resource = view.resourcesByNode.get(node)?.find((each) => isAbout(each, subject));
  return resource !== undefined && lacksOnly(endViews(view, resource, nowMs), node);
}

/** The mirror is without this node's copy and lacks nothing else: the other one is known, whole, and the newest. */
function lacksOnly(ends: readonly EndView[], node: string): boolean {
  const own = ends.find(({ end }) => end.node === node);
  const other = ends.find(({ end }) => end.node !== node);
  if (ends.length !== 2 || own === undefined || other === undefined) return false;
  if (own.unknown !== "" && !isSilent(own)) return false; // something of it was read, and not understood
  return isGood(other) && !isStillNeeded(own);
}

function isGood({ unknown, drbd, inactive }: EndView): boolean {
  if (unknown !== "" || inactive || drbd === undefined || drbd.ioSuspended) return false;
  return drbd.disk === DiskState.UP_TO_DATE && drbd.connection !== ConnectionState.STAND_ALONE;
}

/** As it was last seen: it gave its peer up, or its guest ran there and did not write on both ends. */
function isStillNeeded({ drbd, inactive }: EndView): boolean {
  if (inactive || drbd === undefined) return false;
  return (
    drbd.connection === ConnectionState.STAND_ALONE || (drbd.role === Role.PRIMARY && !isOnBothEnds(drbd))
  );
}

function isOnBothEnds(drbd: DrbdMinor): boolean {
  return isLinked(drbd) && drbd.disk === DiskState.UP_TO_DATE;
}

function isSilent({ readAtMs, ageMs }: EndView): boolean {
  return readAtMs === 0 || ageMs > FRESH_MS;
}

/**
 * Why a mirrored disk that is not well needs nobody: one end is away and planned to be, or both are.
 *
 * @returns the node; undefined: that is not so, or not known
 */
export function explainedEnd(
  resource: Resource,
  view: ClusterView,
  nodes: readonly string[],
  nowMs: number,
): string | undefined {
  const ends = endViews(view, resource, nowMs);
  const planned = ends.filter(({ end }) => nodes.includes(end.node));
  const allAway = planned.length === ends.length && ends.length === 2 && ends.every(isSilent);
  if (allAway) return planned[0]?.end.node;
  return planned.find(({ end }) => lacksOnly(ends, end.node))?.end.node;
}
