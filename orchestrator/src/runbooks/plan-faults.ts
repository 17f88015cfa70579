/** What is wrong with a plan by its shape, whatever its runbook: a test holds every plan against it. */
import { StepKind, type Condition, type Plan, type PlanStep } from "@vigie/proto";

export function planFaults(plan: Plan): string[] {
  const ids = plan.steps.map(({ id }) => id);
  return [
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `the id ${id} is twice`),
    ...plan.steps.flatMap((step, at) => stepFaults(plan, step, at)),
    ...(plan.hash === "" ? [] : ["it has a hash before it is sealed"]),
    ...(plan.locks.length === 0 && plan.steps.length > 0 ? ["it locks nothing (I9)"] : []),
    ...(plan.wayOut.length > 0 && plan.refusals.length === 0 ? ["a way out of no refusal"] : []),
    ...(plan.steps.length === 0 && plan.refusals.length === 0
      ? ["it does nothing, and does not say why"]
      : []),
  ];
}

/** As agent/src/argument-check.ts wants it. */
const STEP_ID = /^[a-z0-9][a-z0-9-]{0,60}$/;

function stepFaults(plan: Plan, step: PlanStep, at: number): string[] {
  const { id, kind, action, condition, undoStepId, manualCommands } = step;
  const faults: string[] = [];
  if (!STEP_ID.test(id)) faults.push(`the agents refuse the id "${id}"`);
  if (step.title === "") faults.push(`${id} has no title`);
  if (kind === StepKind.ACT && action?.kind === undefined) faults.push(`${id} does nothing`);
  if (connects(step) && !step.premises.some(({ what }) => what?.$case === "mayConnect"))
    faults.push(`${id} connects disks, and does not assume that they may be (I8)`);
  if (kind === StepKind.WAIT && action !== undefined) faults.push(`${id} waits and acts`);
  if (condition?.what === undefined) faults.push(`${id} looks for nothing`);
  if (step.irreversible && !plan.destructive)
    faults.push(`${id} cannot be taken back, and the plan says it may`);
  if (step.irreversible && undoStepId !== "") faults.push(`${id} cannot be taken back, and has an undo`);
  if (manualCommands.length === 0) faults.push(`${id} shows no command`);
  faults.push(
    ...manualCommands.filter((line) => !/^\S+# \S/.test(line)).map((line) => `${id}: no prompt in "${line}"`),
  );
  if (kind === StepKind.ACT && manualCommands.some((line) => !line.startsWith(`${step.node}# `)))
    faults.push(`${id} runs on ${step.node}, and shows a command of another node`);
  faults.push(...undoFaults(plan, step, at));
  for (const named of jobSteps([condition, step.holds, step.onlyIf, step.requires]))
    if (!plan.steps.slice(0, at + 1).some((s) => s.id === named && isJob(s)))
      faults.push(`${id} looks for a job that no step up to it submits: ${named}`);
  return faults;
}

/** Ganeti connects all disks of the instance then. */
function connects({ action }: PlanStep): boolean {
  const job = action?.kind?.$case === "submitGanetiJob" ? action.kind.value.job : undefined;
  if (job?.$case === "activateDisks") return true;
  return job?.$case === "migrateInstance" && job.value.cleanup;
}

/** What takes a step back is only that, or comes later on the way forward too. */
function undoFaults(plan: Plan, { id, undoStepId }: PlanStep, at: number): string[] {
  if (undoStepId === "") return [];
  const undoAt = plan.steps.findIndex((step) => step.id === undoStepId);
  const undo = plan.steps[undoAt];
  if (undo === undefined) return [`${id}: there is no step ${undoStepId}`];
  return undo.onlyAsUndo || undoAt > at ? [] : [`${id} is taken back by an earlier step`];
}

function jobSteps(conditions: readonly (Condition | undefined)[]): string[] {
  return conditions.flatMap((condition) => {
    const what = condition?.what;
    if (what?.$case === "allOf" || what?.$case === "anyOf") return jobSteps(what.value.conditions);
    if (what?.$case === "jobQueued") return [what.value.stepId];
    return what?.$case === "jobSucceeded" && what.value.jobId === 0 ? [what.value.stepId] : [];
  });
}

function isJob({ action }: PlanStep): boolean {
  return action?.kind?.$case === "submitGanetiJob";
}
