/** The steps that make copies again: instance by instance, or so many of them together as are wanted at once. */
import { NodeChangeKind, type Condition, type PlanStep } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import { allOf, jobQueued, jobSucceeded, nodeFlagged, queueFree, redundant } from "./conditions.js";
import { FLAG_JOB_MS, NO_LIMIT_MS } from "./deadlines.js";
import { activateDisks, jobStep, seenWhole, submitStep } from "./ganeti-jobs.js";
import { manualLook } from "./manual.js";
import { sizeKib } from "./parameters.js";
import { ganetiNode } from "./node-state.js";
import { brokenCopies, connectable, copiesUpToDate, elsewhere, goodCopies, placed } from "./premises.js";
import type { RebuildJob, Work } from "./rebuild-work.js";
import type { RunbookRequest } from "./runbook.js";
import { wait } from "./steps.js";

export function rebuildSteps(request: RunbookRequest, works: readonly Work[], atOnce: number): PlanStep[] {
  const steps: PlanStep[] = [];
  for (let first = 0; first < works.length; first += atOnce) {
    const batch = works.slice(first, first + atOnce).map((work, i) => ({ work, count: first + i + 1 }));
    const together = batch.length > 1;
    for (const { work, count } of batch) steps.push(...beginSteps(request, work, count, together));
    for (const { work, count } of batch) steps.push(...endSteps(work, count, together));
  }
  return steps;
}

function beginSteps(
  { view, nowMs }: RunbookRequest,
  work: Work,
  count: number,
  together: boolean,
): PlanStep[] {
  const { instance, jobs } = work;
  const { name } = instance;
  const speaking = elsewhere(instance).filter((node) => view.nodes.get(node)?.connected === true);
  const guarded = {
    holds: redundant(name, 0),
    requires: queueFree([name], [instance.primaryNode, ...instance.secondaryNodes]),
  };
  const place = placed(instance, { notRunningOn: speaking });
  const steps: PlanStep[] = [];
  if (work.activate !== "")
    steps.push(
      jobStep(view, activateDisks(name), {
        ...guarded,
        premises: [place, ...mayActivate(view, work, nowMs)],
        id: `activate-${count}`,
        title: `attach and connect what is there of ${name} (${work.activate})`,
        deadlineMs: FLAG_JOB_MS,
      }),
    );
  for (const [i, { job, disks, from, at, why }] of jobs.entries()) {
    const id = rebuildId(count, i);
    const rebuild = {
      ...guarded,
      premises: [place, ...sources(view, work, disks, from, nowMs), ...targets(view, work, disks, at)],
      id,
      title: `recreate the missing copy of ${name} (${why})`,
      irreversible: true,
    };
    const afterwards = i === jobs.length - 1 ? seenWhole(instance) : [];
    const copiesKib = sizeKib(disks);
    steps.push(
      together
        ? submitStep(view, job, { ...rebuild, condition: jobQueued(id), deadlineMs: FLAG_JOB_MS })
        : jobStep(view, job, { ...rebuild, copiesKib, afterwards, deadlineMs: NO_LIMIT_MS }),
    );
  }
  return steps;
}

/** What is connected can give nothing up: its good copies are known, or the one that was StandAlone beside one is empty. */
function mayActivate(view: ClusterView, { instance, disks, reconnected }: Work, nowMs: number): Condition[] {
  const emptyAt = new Map(reconnected.map((each) => [each.resource, each.emptyAt]));
  const others = disks.filter((resource) => !emptyAt.has(resource));
  return [...goodCopies(view, others, nowMs), ...connectable(view, instance, emptyAt)];
}

/** A new secondary is copied from the primary's disks, whole as each must be; else those that are good now. */
function sources(
  view: ClusterView,
  { instance, relocates }: Work,
  disks: readonly Resource[],
  from: string,
  nowMs: number,
): Condition[] {
  return relocates && instance.adminState === "up"
    ? copiesUpToDate(view, instance, from)
    : goodCopies(view, disks, nowMs, from);
}

/** What is given up is still of no use: a copy that is broken, or all of a node that is offline. */
function targets(
  view: ClusterView,
  { instance, relocates }: Work,
  disks: readonly Resource[],
  at: string,
): Condition[] {
  if (!relocates) return brokenCopies(view, instance, disks, at);
  const [secondary = ""] = instance.secondaryNodes;
  const isOffline = ganetiNode(view, secondary)?.offline === true;
  return isOffline ? [nodeFlagged(secondary, NodeChangeKind.OFFLINE)] : [];
}

/** "rebuild-1", and "rebuild-1-2" where an instance needs a second job. */
function rebuildId(count: number, job: number): string {
  return job === 0 ? `rebuild-${count}` : `rebuild-${count}-${job + 1}`;
}

/** What is left to wait for: the jobs by themselves, where several were put into the queue; otherwise only the resync. */
function endSteps(work: Work, count: number, together: boolean): PlanStep[] {
  const { instance, jobs, disks } = work;
  const { name } = instance;
  if (jobs.length > 0 && !together) return [];
  const succeeded = jobs.map((_job: RebuildJob, i) => jobSucceeded(rebuildId(count, i)));
  return [
    wait({
      id: `await-${count}`,
      title: `${name} is redundant again`,
      node: instance.primaryNode,
      condition: jobs.length === 0 ? redundant(name) : allOf(...succeeded, ...seenWhole(instance)),
      deadlineMs: NO_LIMIT_MS,
      copiesKib: sizeKib(jobs.flatMap((job) => job.disks)),
      manual: disks.flatMap(({ ends }) => ends.map((end) => manualLook(end.node, end.minor))),
    }),
  ];
}
