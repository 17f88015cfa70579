/**
 * What a runbook is: a pure function from parameters and the view to a plan. The plan is all that is kept, shown,
 * approved and performed; the runbook is not asked again once it is made. Its hash is put on by engine/seal-plan.ts.
 */
import type { Plan, PlanStep } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";

export interface RunbookRequest {
  readonly resource: Resource;
  readonly view: ClusterView;
  readonly nowMs: number; // monotonic
  readonly wallUnixMs: number;
  readonly incidentId: string; // empty: a person asked
  readonly ttlS: number;
  readonly minStillMs: number;
}

export interface Runbook {
  readonly name: string;
  readonly version: number; // renaming a step needs a new one: step ids are in the run log
  readonly summary: string;
  readonly plan: (request: RunbookRequest) => Plan;
}

export function stepById(plan: Plan, id: string): PlanStep | undefined {
  return plan.steps.find((step) => step.id === id);
}
