/** The view as the API tells it: nodes, mirrored disks with both ends, instances. Unknown is its own answer. */
import {
  Health,
  NodeStatus,
  ResourceEnd,
  ResourceStatus,
  Source,
  type GanetiInstance,
  type InstanceStatus,
  type LvmFacts,
  type Maintenance,
  type RunbookInfo,
} from "@vigie/proto";
import type { Runbook } from "../runbooks/runbook.js";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, isInSync, isResyncPaused, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { factsOf, isRedundant, type NodeView } from "../view/node-view.js";

/** A node that has not reported for this long is not called reporting. */
const REPORTING_MS = 5_000;

export function describeNode(
  view: ClusterView,
  node: NodeView,
  nowMs: number,
  maintenance: Maintenance | undefined,
): NodeStatus {
  const ganeti = view.inventory?.nodes.find((n) => n.name === node.name);
  const instances = view.inventory?.instances ?? [];
  const reportAgeMs = Math.round(nowMs - node.reportedAtMs);
  const vg = factsOf(node, Source.LVM, "lvm")?.volumeGroups ?? [];
  return NodeStatus.create({
    name: node.name,
    reporting: node.connected && !node.neverSeen && reportAgeMs < REPORTING_MS,
    reportAgeMs: node.neverSeen ? 0 : reportAgeMs,
    neverSeen: node.neverSeen,
    role: ganeti?.role ?? "",
    offline: ganeti?.offline ?? view.ssconf?.offlineNodes.includes(node.name) ?? false,
    drained: ganeti?.drained ?? false,
    bootId: node.bootId,
    agentVersion: node.agentVersion,
    drbdVersion: factsOf(node, Source.PROC_DRBD, "drbd")?.version ?? "",
    minors: node.minors.size,
    instancesPrimary: instances.filter((i) => i.primaryNode === node.name).length,
    instancesSecondary: instances.filter((i) => i.secondaryNodes.includes(node.name)).length,
    sources: [...node.sources].map(([source, { report, readAtMs }]) => ({
      source,
      state: report.state,
      reason: report.reason,
      ageMs: Math.max(0, Math.round(nowMs - readAtMs)),
      damaged: report.damaged,
    })),
    readOnly: node.readOnlyReason !== "",
    readOnlyReason: node.readOnlyReason,
    hung: [...node.hung],
    maintenance,
    vgSizeBytes: vg.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    vgFreeBytes: vg.reduce((sum, { freeBytes }) => sum + freeBytes, 0),
  });
}

/** @param planned the node whose maintenance would explain what is not well; empty: there is none */
export function describeResource(
  view: ClusterView,
  resource: Resource,
  nowMs: number,
  stallAfterMs: number,
  planned: string,
): ResourceStatus {
  const ends = endViews(view, resource, nowMs);
  const health = healthOf(ends, stallAfterMs);
  return ResourceStatus.create({
    instance: resource.instance,
    instanceUuid: resource.instanceUuid,
    diskIndex: resource.diskIndex,
    diskUuid: resource.diskUuid,
    port: resource.port,
    health,
    maintenanceNode: health === Health.UNKNOWN || health === Health.DEGRADED ? planned : "",
    ends: ends.map((end) => describeEnd(view, resource, end)),
    sizeMib: resource.sizeMib,
  });
}

export function describeInstance(
  view: ClusterView,
  instance: GanetiInstance,
  nowMs: number,
  stallAfterMs: number,
): InstanceStatus {
  const own = [...view.resources.values()].filter((resource) => resource.instance === instance.name);
  const healths = own.map((resource) => healthOf(endViews(view, resource, nowMs), stallAfterMs));
  const health = WORST_FIRST.find((h) => healths.includes(h)) ?? Health.UNSPECIFIED;
  return { instance, health };
}

const WORST_FIRST = [Health.UNKNOWN, Health.STALLED, Health.DEGRADED, Health.RESYNCING, Health.OK];

export function healthOf(ends: readonly EndView[], stallAfterMs: number): Health {
  if (ends.length === 0 || ends.some((end) => end.unknown !== "")) return Health.UNKNOWN;
  if (ends.every((end) => end.inactive)) return Health.UNSPECIFIED; // stopped: there is nothing to say
  if (ends.some((end) => end.inactive)) return Health.DEGRADED;
  const drbd = ends.map((end) => end.drbd).filter((d) => d !== undefined);
  if (drbd.length === 2 && drbd.every(isRedundant)) return Health.OK;
  const resyncing = ends.filter(
    (end) => end.drbd !== undefined && isInSync(end.drbd) && !isResyncPaused(end.drbd),
  );
  if (resyncing.length === 0) return Health.DEGRADED;
  return resyncing.every((end) => end.stillMs >= stallAfterMs) ? Health.STALLED : Health.RESYNCING;
}

function describeEnd(
  view: ClusterView,
  resource: Resource,
  { end, drbd, unknown, ageMs, stillMs, inactive }: EndView,
): ResourceEnd {
  const pvs = physicalVolumes(factsOf(view.nodes.get(end.node), Source.LVM, "lvm"), resource.dataLv);
  return ResourceEnd.create({
    node: end.node,
    minor: end.minor,
    address: end.address,
    fresh: unknown === "",
    ageMs: Math.round(ageMs),
    drbd,
    unknownReason: unknown || (inactive ? "not active on this node" : ""),
    dataLv: resource.dataLv,
    physicalVolumes: pvs,
    disks: pvs.map(diskName),
    stillMs: Math.round(stillMs),
  });
}

/** "/dev/sda(0)" is extent 0 of /dev/sda. */
function physicalVolumes(lvm: LvmFacts | undefined, dataLv: string): string[] {
  const volume = lvm?.logicalVolumes.find((lv) => `${lv.vgName}/${lv.lvName}` === dataLv);
  const devices = (volume?.segments ?? []).flatMap((segment) => segment.devices);
  return [...new Set(devices.map((device) => device.replace(/\(\d+\)$/, "")))];
}

/** "/dev/sda2" is on sda, "/dev/nvme0n1p3" on nvme0n1; a name of another kind stays as it is. */
export function diskName(pv: string): string {
  const name = pv.replace(/^\/dev\//, "");
  const numbered = /^(nvme\d+n\d+|mmcblk\d+|md\d+)(?:p\d+)?$/.exec(name);
  const lettered = /^((?:sd|hd|vd|xvd)[a-z]+)\d*$/.exec(name);
  return numbered?.[1] ?? lettered?.[1] ?? name;
}

export function describeRunbook(runbook: Runbook): RunbookInfo {
  const { name, version, summary, parameters, explanation } = runbook;
  return { name, version, summary, parameters: [...parameters], explanation: [...explanation] };
}
