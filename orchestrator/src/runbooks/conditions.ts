/** What must be seen in the world, as one writes it in a plan: `redundant("web1.example")`. */
import {
  AllOf,
  AnyOf,
  Condition,
  type DiskIdentity,
  type DrbdEnd,
  type InstancePlaced,
  type NodeChangeKind,
  type VolumeMap,
} from "@vigie/proto";
import { REDUNDANT_FOR_MS } from "./deadlines.js";

type What = NonNullable<Condition["what"]>;

function condition(what: What): Condition {
  return Condition.create({ what });
}

export function allOf(...conditions: Condition[]): Condition {
  return condition({ $case: "allOf", value: AllOf.create({ conditions }) });
}

export function anyOf(...conditions: Condition[]): Condition {
  return condition({ $case: "anyOf", value: AnyOf.create({ conditions }) });
}

export function cutStands(end: DrbdEnd): Condition {
  return condition({ $case: "cutStands", value: { end } });
}

export function cutGone(end: DrbdEnd): Condition {
  return condition({ $case: "cutGone", value: { end } });
}

export function linkDown(end: DrbdEnd, peerEnd: DrbdEnd): Condition {
  return condition({ $case: "linkDown", value: { end, peerEnd } });
}

export function resyncMoves(end: DrbdEnd, peerEnd: DrbdEnd): Condition {
  return condition({ $case: "resyncMoves", value: { end, peerEnd } });
}

export function resyncStands(end: DrbdEnd, peerEnd: DrbdEnd, forMs: number): Condition {
  return condition({ $case: "resyncStands", value: { end, peerEnd, forMs } });
}

export function stepRan(stepId: string): Condition {
  return condition({ $case: "stepRan", value: { stepId } });
}

/** The job of the step with this id. */
export function jobSucceeded(stepId: string): Condition {
  return condition({ $case: "jobSucceeded", value: { stepId, jobId: 0 } });
}

/** A job that was there before the run. */
export function oldJobSucceeded(jobId: number): Condition {
  return condition({ $case: "jobSucceeded", value: { stepId: "", jobId } });
}

export function jobQueued(stepId: string): Condition {
  return condition({ $case: "jobQueued", value: { stepId } });
}

export function jobOver(jobId: number): Condition {
  return condition({ $case: "jobOver", value: { jobId } });
}

export function jobStill(jobId: number, forMs: number, anyPhase: boolean): Condition {
  return condition({ $case: "jobStill", value: { jobId, forMs, anyPhase } });
}

export function queueFree(instances: readonly string[], nodes: readonly string[]): Condition {
  return condition({ $case: "queueFree", value: { instances: [...instances], nodes: [...nodes] } });
}

export function watcherPaused(paused: boolean): Condition {
  return condition({ $case: "watcherPaused", value: { paused } });
}

export function redundant(instance: string, forMs = REDUNDANT_FOR_MS): Condition {
  return condition({ $case: "redundant", value: { instance, forMs } });
}

export function instanceOn(instance: string, node: string, running: boolean): Condition {
  return condition({ $case: "instanceOn", value: { instance, node, running } });
}

export function instancePlaced(value: InstancePlaced): Condition {
  return condition({ $case: "instancePlaced", value });
}

export function noCopyOn(instance: string, node: string): Condition {
  return condition({ $case: "noCopyOn", value: { instance, node } });
}

/** @param sinceUnixMs when it was planned: it must not have reported since */
export function nodeSilent(node: string, sinceUnixMs: number): Condition {
  return condition({ $case: "nodeSilent", value: { node, sinceUnixMs } });
}

export function nodeQuiet(node: string): Condition {
  return condition({ $case: "nodeQuiet", value: { node } });
}

export function copyBroken(end: DrbdEnd): Condition {
  return condition({ $case: "copyBroken", value: { end } });
}

/** @param givenUpAt node whose copy is given up; empty: none */
export function mayConnect(end: DrbdEnd, givenUpAt = ""): Condition {
  return condition({ $case: "mayConnect", value: { end, givenUpAt } });
}

export function copyUpToDate(end: DrbdEnd): Condition {
  return condition({ $case: "copyUpToDate", value: { end } });
}

export function commandsSucceeded(stepId: string): Condition {
  return condition({ $case: "commandsSucceeded", value: { stepId } });
}

export function nodeEmpty(node: string, ofPrimaries: boolean): Condition {
  return condition({ $case: "nodeEmpty", value: { node, ofPrimaries } });
}

export function nodeFlagged(node: string, change: NodeChangeKind): Condition {
  return condition({ $case: "nodeFlagged", value: { node, change } });
}

export function nodeReports(node: string): Condition {
  return condition({ $case: "nodeReports", value: { node } });
}

export function minorDiskless(end: DrbdEnd): Condition {
  return condition({ $case: "minorDiskless", value: { end } });
}

export function minorGone(end: DrbdEnd): Condition {
  return condition({ $case: "minorGone", value: { end } });
}

export function minorNotHeld(end: DrbdEnd): Condition {
  return condition({ $case: "minorNotHeld", value: { end } });
}

export function partitionsUnmapped(end: DrbdEnd): Condition {
  return condition({ $case: "partitionsUnmapped", value: { end } });
}

/** @param state empty: the kernel lists the disk no more */
export function diskInState(disk: DiskIdentity, state: string): Condition {
  return condition({ $case: "diskInState", value: { disk, state } });
}

export function mapsGone(node: string, maps: readonly VolumeMap[]): Condition {
  return condition({ $case: "mapsGone", value: { node, maps: [...maps] } });
}

export function volumeGroupOn(vgName: string, disk: DiskIdentity): Condition {
  return condition({ $case: "volumeGroupOn", value: { node: disk.node, vgName, disk } });
}

/** @param volume "VG/LV" */
export function volumeThere(node: string, volume: string): Condition {
  return condition({ $case: "volumeThere", value: { node, volume } });
}

export function victimReady(end: DrbdEnd): Condition {
  return condition({ $case: "victimReady", value: { end } });
}

export function personSays(question: string): Condition {
  return condition({ $case: "personSays", value: { question } });
}
