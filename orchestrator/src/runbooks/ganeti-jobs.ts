/** Steps that put one job into Ganeti's queue, and see that it ended well (I30). */
import {
  ReplaceMode,
  type Condition,
  type GanetiInstance,
  type InstancePlace,
  type NodeChangeKind,
  type PlanStep,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { allOf, jobSucceeded, nodeFlagged, redundant } from "./conditions.js";
import { FLAG_JOB_MS } from "./deadlines.js";
import { manualJob, type GanetiJobKind } from "./manual-ganeti.js";
import { masterOf } from "./plan.js";
import { act, type Act } from "./steps.js";

/** What a job's step says beside its job: what must be seen once the job succeeded is in `afterwards`. */
export type JobStep = Omit<Act, "node" | "action" | "manual" | "condition"> & {
  readonly afterwards?: readonly Condition[];
};

export function jobStep(view: ClusterView, job: GanetiJobKind, step: JobStep): PlanStep {
  const { afterwards = [], ...rest } = step;
  return submitStep(view, job, { ...rest, condition: all([jobSucceeded(step.id), ...afterwards]) });
}

/** One of a node's flags, and Ganeti seen to have it so. */
export function flagStep(
  view: ClusterView,
  node: string,
  change: NodeChangeKind,
  step: Pick<Act, "id" | "title" | "undo" | "onlyAsUndo" | "premises">,
): PlanStep {
  const flagged = nodeFlagged(node, change);
  const job: GanetiJobKind = { $case: "modifyNode", value: { node, change } };
  return jobStep(view, job, { ...step, holds: flagged, afterwards: [flagged], deadlineMs: FLAG_JOB_MS });
}

/** For a job of which something else is to be seen than that it ended. */
export function submitStep(
  view: ClusterView,
  job: GanetiJobKind,
  step: Omit<Act, "node" | "action" | "manual">,
): PlanStep {
  const master = masterOf(view);
  return act({
    ...step,
    node: master,
    action: { $case: "submitGanetiJob", value: { job, place: placeIn(step.premises, job) } },
    manual: manualJob(master, job),
  });
}

/** What the premises say of the job's instance: its agent asks the same directly before the command. */
function placeIn(premises: readonly Condition[], { value }: GanetiJobKind): InstancePlace | undefined {
  for (const { what } of premises) {
    if (what?.$case !== "instancePlaced" || what.value.primaryNode === "") continue;
    const { instance, primaryNode, secondaryNodes } = what.value;
    if ("instance" in value && value.instance === instance) return { primaryNode, secondaryNodes };
  }
  return undefined;
}

/** Of a stopped instance Ganeti takes the minors down again when the copy is whole: its job's word must do. */
export function seenWhole({ name, adminState }: GanetiInstance): Condition[] {
  return adminState === "up" ? [redundant(name)] : [];
}

function all(conditions: readonly Condition[]): Condition {
  const [only] = conditions;
  return only !== undefined && conditions.length === 1 ? only : allOf(...conditions);
}

export function migrate(instance: string): GanetiJobKind {
  return { $case: "migrateInstance", value: { instance, cleanup: false } };
}

export function cleanup(instance: string): GanetiJobKind {
  return { $case: "migrateInstance", value: { instance, cleanup: true } };
}

export function failover(instance: string): GanetiJobKind {
  return { $case: "failoverInstance", value: { instance } };
}

/** @param disks N of disk/N: only these are copied */
export function replaceDisks(
  instance: string,
  side: "primary" | "secondary",
  disks: readonly number[],
): GanetiJobKind {
  const mode = side === "primary" ? ReplaceMode.ON_PRIMARY : ReplaceMode.ON_SECONDARY;
  return { $case: "replaceDisks", value: { instance, mode, newSecondary: "", disks: [...disks] } };
}

/** @param node empty: Ganeti's allocator chooses */
export function newSecondary(instance: string, node: string): GanetiJobKind {
  const mode = node === "" ? ReplaceMode.ALLOCATOR : ReplaceMode.NEW_SECONDARY;
  return { $case: "replaceDisks", value: { instance, mode, newSecondary: node, disks: [] } };
}

export function activateDisks(instance: string): GanetiJobKind {
  return { $case: "activateDisks", value: { instance } };
}

export function setAllocatable(node: string, pvName: string, allocatable: boolean): GanetiJobKind {
  return { $case: "setAllocatable", value: { node, pvName, allocatable } };
}
