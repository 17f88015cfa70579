/**
 * What a step assumes of the world: shown to whoever approves the plan, and asked again in the moment before its send
 * (I15). Hours may lie between the two, and people, Ganeti's own tools and crashes act meanwhile.
 */
import { DiskState, type Condition, type GanetiInstance } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { copyBroken, copyUpToDate, instancePlaced, mayConnect } from "./conditions.js";
import { drbdEnd, drbdEndAt } from "./drbd-end.js";
import { mirrorsOf } from "./parameters.js";

/** Where an instance is when the step comes; what is not given is as it is now. */
export interface Place {
  readonly primaryNode?: string;
  readonly secondaryNodes?: readonly string[];
  readonly notRunningOn?: readonly string[];
}

/** The instance is still this one, with the same disks, wanted up or down as now, and on the nodes of the plan. */
export function placed(instance: GanetiInstance, place: Place = {}): Condition {
  return instancePlaced({
    instance: instance.name,
    instanceUuid: instance.uuid,
    adminState: instance.adminState,
    primaryNode: place.primaryNode ?? instance.primaryNode,
    secondaryNodes: [...(place.secondaryNodes ?? instance.secondaryNodes)],
    diskUuids: diskUuids(instance),
    notRunningOn: [...(place.notRunningOn ?? [])],
  });
}

/** The same where its guest may be on either of its nodes: a migration moves it meanwhile. */
export function stillThere(instance: GanetiInstance): Condition {
  return instancePlaced({
    instance: instance.name,
    instanceUuid: instance.uuid,
    adminState: "",
    primaryNode: "",
    secondaryNodes: [],
    diskUuids: diskUuids(instance),
    notRunningOn: [],
  });
}

/** Ganeti before 2.9 gives disks no uuid. */
function diskUuids({ disks }: GanetiInstance): string[] {
  return disks.every(({ uuid }) => uuid !== "") ? disks.map(({ uuid }) => uuid) : [];
}

/** On which of its nodes a guest must not run: where Ganeti wants it up, on all but the primary one. */
export function elsewhere({ adminState, primaryNode, secondaryNodes }: GanetiInstance): string[] {
  return adminState === "up" ? [...secondaryNodes] : [primaryNode, ...secondaryNodes];
}

/**
 * All its mirrors may be connected: Ganeti's job connects each of them, whatever else the plan is about, and one that was
 * well may have split since (I8).
 *
 * @param givenUp disks of which the plan gives one side up, and the node of that side
 */
export function connectable(
  view: ClusterView,
  instance: GanetiInstance,
  givenUp: ReadonlyMap<Resource, string> = new Map(),
): Condition[] {
  return mirrorsOf(view, instance).map((resource) => {
    const [own, peer] = resource.ends;
    return mayConnect(drbdEnd(view, resource, own, peer), givenUp.get(resource) ?? "");
  });
}

/** The copies of all its mirrored disks on one node are UpToDate. */
export function copiesUpToDate(view: ClusterView, instance: GanetiInstance, node: string): Condition[] {
  return mirrorsOf(view, instance).map((resource) => copyUpToDate(drbdEndAt(view, resource, node)));
}

/**
 * The copies that a job makes anew are still broken: somebody may have mended one meanwhile, and the job throws each
 * away first. Of a stopped instance no minor is active, and its volumes are missing.
 */
export function brokenCopies(
  view: ClusterView,
  instance: GanetiInstance,
  disks: readonly Resource[],
  node: string,
): Condition[] {
  if (instance.adminState !== "up") return [];
  return disks.map((resource) => copyBroken(drbdEndAt(view, resource, node)));
}

/**
 * Those copies of these disks that are UpToDate now still are: what is recreated is recreated from them. Of a stopped
 * instance no minor is active, and Ganeti itself looks when it activates them.
 *
 * @param node the copies on this one; undefined: on any
 */
export function goodCopies(
  view: ClusterView,
  disks: readonly Resource[],
  nowMs: number,
  node?: string,
): Condition[] {
  return disks.flatMap((resource) => {
    const good = endViews(view, resource, nowMs).filter(
      ({ drbd, inactive }) => !inactive && drbd?.disk === DiskState.UP_TO_DATE,
    );
    return good
      .filter(({ end }) => node === undefined || end.node === node)
      .map(({ end }) => copyUpToDate(drbdEndAt(view, resource, end.node)));
  });
}
