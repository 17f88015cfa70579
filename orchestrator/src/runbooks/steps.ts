/** Steps as a runbook writes them. What is not said is the common case: reversible, part of the way forward. */
import { PlanStep, StepKind, type Action, type Condition } from "@vigie/proto";

export type Kind = NonNullable<Action["kind"]>;

interface Common {
  readonly id: string;
  readonly title: string;
  readonly node: string;
  readonly condition: Condition;
  readonly deadlineMs: number;
  readonly manual: readonly string[];
  readonly onlyIf?: Condition;
  readonly holds?: Condition;
  readonly copiesKib?: number; // made anew
}

export interface Act extends Common {
  readonly action: Kind;
  /** What the plan assumes for this step (I15); none where it only takes back, or where nobody can make it wrong. */
  readonly premises: readonly Condition[];
  readonly requires?: Condition;
  readonly undo?: string; // id of the step that takes it back
  readonly irreversible?: boolean;
  readonly onlyAsUndo?: boolean;
}

export function act(step: Act): PlanStep {
  return PlanStep.create({
    ...common(step),
    kind: StepKind.ACT,
    action: { kind: step.action },
    premises: [...step.premises],
    ...(step.requires === undefined ? {} : { requires: step.requires }),
    undoStepId: step.undo ?? "",
    irreversible: step.irreversible ?? false,
    onlyAsUndo: step.onlyAsUndo ?? false,
  });
}

export function wait(step: Common): PlanStep {
  return PlanStep.create({ ...common(step), kind: StepKind.WAIT });
}

function common(step: Common) {
  const { id, title, node, condition, deadlineMs, manual, onlyIf, holds, copiesKib = 0 } = step;
  return {
    id,
    title,
    node,
    condition,
    deadlineMs,
    manualCommands: [...manual],
    copiesKib,
    ...(onlyIf === undefined ? {} : { onlyIf }),
    ...(holds === undefined ? {} : { holds }),
  };
}

/** "cut-link", or "cut-link-0" where a plan does the same to several disks. */
export function stepId(id: string, of: string | number | undefined): string {
  return of === undefined ? id : `${id}-${of}`;
}
