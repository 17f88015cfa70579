/** The steps that take a disk out, in the order in which each still leaves the other copies whole. */
import {
  NodeChangeKind,
  Source,
  type Condition,
  type DrbdEnd,
  type GanetiInstance,
  type PlanStep,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { factsOf, isRedundant } from "../view/node-view.js";
import {
  allOf,
  copyUpToDate,
  diskInState,
  instanceOn,
  mapsGone,
  minorDiskless,
  nodeFlagged,
  queueFree,
  redundant,
  watcherPaused,
} from "./conditions.js";
import { type Copy, isDisklessHere } from "./copies.js";
import {
  DETACH_MS,
  DISK_STATE_MS,
  FLAG_JOB_MS,
  MAPS_MS,
  MIGRATION_MS,
  REDUNDANT_BEFORE_LOSS_MS,
} from "./deadlines.js";
import type { DiskLayout } from "./disk-layout.js";
import { drbdEndAt } from "./drbd-end.js";
import { jobStep, migrate, setAllocatable } from "./ganeti-jobs.js";
import { manualDeleteDisk, manualDetach, manualDiskOffline, manualRemoveMaps } from "./manual-disks.js";
import { mirrorsOf } from "./parameters.js";
import { elsewhere, placed } from "./premises.js";
import { act } from "./steps.js";

/** No new volume on it, where there may be now; a disk that does not answer takes none, and pvchange would fail. */
export function allocatableSteps(
  view: ClusterView,
  node: string,
  { identity, running, mirrors }: DiskLayout,
): PlanStep[] {
  const { pvName } = identity;
  const pvs = factsOf(view.nodes.get(node), Source.LVM, "lvm")?.physicalVolumes ?? [];
  const isAllocatable = pvs.find((pv) => pv.pvName === pvName)?.attr.startsWith("a") === true;
  if (!running || pvName === "" || !isAllocatable) return []; // who took it out of use puts it back, and not our undo
  const step = (id: string, allocatable: boolean) => ({
    id,
    title: allocatable ? `let new volumes onto ${pvName} again` : `put no new volume on ${pvName}`,
    deadlineMs: FLAG_JOB_MS,
  });
  return [
    jobStep(view, setAllocatable(node, pvName, false), {
      ...step("set-unallocatable", false),
      requires: queueFree([...new Set(mirrors.map(({ instance }) => instance))], [node]),
      premises: [nodeFlagged(node, NodeChangeKind.ONLINE)],
      undo: "set-allocatable",
    }),
    jobStep(view, setAllocatable(node, pvName, true), {
      ...step("set-allocatable", true),
      premises: [],
      onlyAsUndo: true,
    }),
  ];
}

export function migrateStep(
  view: ClusterView,
  instance: GanetiInstance,
  node: string,
  count: number,
): PlanStep {
  const { name } = instance;
  const [to = ""] = instance.secondaryNodes;
  return jobStep(view, migrate(name), {
    id: `migrate-${count}`,
    title: `migrate ${name} from ${node} to ${to}, while its disk still works`,
    holds: instanceOn(name, to, true),
    requires: queueFree([name], [node, to]),
    premises: [placed(instance, { notRunningOn: [to] })],
    afterwards: [instanceOn(name, to, true), redundant(name)],
    deadlineMs: MIGRATION_MS,
  });
}

export function diskSteps(
  view: ClusterView,
  node: string,
  layout: DiskLayout,
  copies: readonly Copy[],
  moved: readonly GanetiInstance[],
): PlanStep[] {
  const { identity, maps } = layout;
  const all = copies.map((copy) => drbdEndAt(view, copy.resource, node));
  const attached = copies.filter((copy) => !isDisklessHere(copy));
  const instances = [...new Set(copies.map(({ resource }) => resource.instance))];
  const whole = instances.filter((name) => isWhole(view, view.instances.get(name)));
  const premises = copies.flatMap((copy) => copyPremises(view, copy, node, moved));
  const offline = act({
    id: "set-disk-offline",
    title: `${node}: ${identity.name} gets no more I/O; ${attached.length} minors lose it together`,
    node,
    action: { $case: "setDiskOffline", value: { disk: identity, minors: all, peers: [] } },
    holds: diskInState(identity, "offline"),
    requires: allOf(
      watcherPaused(true),
      queueFree(instances, [node]),
      ...whole.map((name) => redundant(name, REDUNDANT_BEFORE_LOSS_MS)),
    ),
    premises,
    condition: diskInState(identity, "offline"),
    deadlineMs: DISK_STATE_MS,
    manual: manualDiskOffline(identity),
    irreversible: true,
  });
  const removeMaps = act({
    id: "remove-volume-maps",
    title: `${node}: remove the ${maps.length} volumes that lie on ${identity.name} from device-mapper`,
    node,
    action: { $case: "removeVolumeMaps", value: { disk: identity, maps: [...maps] } },
    holds: mapsGone(node, maps),
    premises: [diskInState(identity, "offline")],
    condition: mapsGone(node, maps),
    deadlineMs: MAPS_MS,
    manual: manualRemoveMaps(node, maps),
    irreversible: true,
  });
  const deleteDisk = act({
    id: "delete-disk",
    title: `${node}: the kernel forgets ${identity.name}`,
    node,
    action: { $case: "deleteDisk", value: { disk: identity } },
    holds: diskInState(identity, ""),
    premises: [diskInState(identity, "offline")],
    condition: diskInState(identity, ""),
    deadlineMs: DISK_STATE_MS,
    manual: manualDeleteDisk(identity),
    irreversible: true,
  });
  return [
    offline,
    ...attached.map((copy, i) =>
      detachStep(drbdEndAt(view, copy.resource, node), i + 1, copyPremises(view, copy, node, moved)),
    ),
    ...(maps.length === 0 ? [] : [removeMaps]),
    deleteDisk,
  ];
}

/** The other copy is whole, and the guest is where the plan has it by then: not on this disk, unless it stays there. */
function copyPremises(
  view: ClusterView,
  { resource, peer }: Copy,
  node: string,
  moved: readonly GanetiInstance[],
): Condition[] {
  const instance = view.instances.get(resource.instance);
  if (instance === undefined || peer === undefined) return [];
  const there = peer.end.node;
  const place = moved.includes(instance)
    ? { primaryNode: there, secondaryNodes: [node], notRunningOn: [node] }
    : { notRunningOn: elsewhere(instance) };
  return [placed(instance, place), copyUpToDate(drbdEndAt(view, resource, there))];
}

/** DRBD notices by itself at its next I/O; a minor without any is told. */
function detachStep(end: DrbdEnd, count: number, premises: readonly Condition[]): PlanStep {
  return act({
    id: `detach-${count}`,
    title: `${end.instance} disk/${end.diskIndex}: minor ${end.minor} of ${end.node} goes on by ${end.peerNode}'s copy`,
    node: end.node,
    action: { $case: "detachMinor", value: { end, peer: undefined } },
    holds: minorDiskless(end),
    premises,
    condition: minorDiskless(end),
    deadlineMs: DETACH_MS,
    manual: manualDetach(end),
    irreversible: true,
  });
}

export function isWhole(view: ClusterView, instance: GanetiInstance | undefined): boolean {
  if (instance === undefined) return false;
  const ends = mirrorsOf(view, instance).flatMap((resource) => resource.ends);
  return ends.every(({ node, minor }) => {
    const drbd = view.nodes.get(node)?.minors.get(minor)?.drbd;
    return drbd !== undefined && isRedundant(drbd);
  });
}
