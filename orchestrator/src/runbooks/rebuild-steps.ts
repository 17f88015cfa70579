/** The steps that make copies anew: instance by instance, or so many of them together as are wanted at once. */
import type { PlanStep } from "@vigie/proto";
import { allOf, jobQueued, jobSucceeded, queueFree, redundant } from "./conditions.js";
import { FLAG_JOB_MS, NO_LIMIT_MS } from "./deadlines.js";
import { activateDisks, jobStep, seenWhole, submitStep } from "./ganeti-jobs.js";
import { manualLook } from "./manual.js";
import { sizeKib } from "./parameters.js";
import { elsewhere, goodCopies, placed } from "./premises.js";
import type { Work } from "./rebuild-work.js";
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
  const { instance, job } = work;
  const { name } = instance;
  const steps: PlanStep[] = [];
  const requires = queueFree([name], [instance.primaryNode, ...instance.secondaryNodes]);
  const premises = [
    placed(instance, { notRunningOn: elsewhere(instance).filter((node) => view.nodes.get(node)?.connected) }),
    ...goodCopies(view, instance, nowMs),
  ];
  if (work.activate !== "")
    steps.push(
      jobStep(view, activateDisks(name), {
        id: `activate-${count}`,
        title: `attach and connect what is there of ${name} (${work.activate})`,
        holds: redundant(name, 0),
        requires,
        premises,
        deadlineMs: FLAG_JOB_MS,
      }),
    );
  if (job === undefined) return steps;
  const rebuild = {
    id: `rebuild-${count}`,
    title: `make the missing copy of ${name} anew (${work.why})`,
    holds: redundant(name, 0),
    requires,
    premises,
    irreversible: true,
  };
  const copiesKib = sizeKib(work.disks);
  const queued = { ...rebuild, condition: jobQueued(rebuild.id), deadlineMs: FLAG_JOB_MS };
  steps.push(
    together
      ? submitStep(view, job, queued)
      : jobStep(view, job, {
          ...rebuild,
          copiesKib,
          afterwards: seenWhole(instance),
          deadlineMs: NO_LIMIT_MS,
        }),
  );
  return steps;
}

/** What is left to wait for: the job by itself, where several were put into the queue; otherwise only the resync. */
function endSteps(work: Work, count: number, together: boolean): PlanStep[] {
  const { instance, job, disks } = work;
  const { name } = instance;
  if (job !== undefined && !together) return [];
  const whole = redundant(name);
  return [
    wait({
      id: `await-${count}`,
      title: `${name} is redundant again`,
      node: instance.primaryNode,
      condition: job === undefined ? whole : allOf(jobSucceeded(`rebuild-${count}`), ...seenWhole(instance)),
      deadlineMs: NO_LIMIT_MS,
      copiesKib: job === undefined ? 0 : sizeKib(disks),
      manual: disks.flatMap(({ ends }) => ends.map((end) => manualLook(end.node, end.minor))),
    }),
  ];
}
