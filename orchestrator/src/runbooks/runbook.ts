/**
 * What a runbook is: a pure function from parameters and the view to a plan. The plan is all that is kept, shown,
 * approved and performed; the runbook is not asked again once it is made. Its hash is put on by engine/seal-plan.ts.
 */
import type { Incident, Plan, PlanStep, Source } from "@vigie/proto";
import type { Rung } from "../policy/tags.js";
import type { ClusterView } from "../view/cluster-view.js";

export interface RunbookRequest {
  /** By the runbook's own names; those that were not given are missing. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly view: ClusterView;
  readonly nowMs: number; // monotonic
  readonly wallUnixMs: number;
  readonly incidentId: string; // empty: a person asked
  readonly ttlS: number; // of a cut
  readonly minStillMs: number; // before a cut
  readonly ownWatcherPause: boolean; // an open run has Ganeti's watcher paused, and ends that
}

export interface RunbookParameter {
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
}

/** What an agent tells only when it is asked. */
export interface Question {
  readonly node: string;
  readonly source: Source;
  readonly minor: number;
}

export interface Runbook {
  readonly name: string;
  readonly version: number; // renaming a step needs a new one: step ids are in the run log
  readonly summary: string; // one line
  /** How far it goes on Ganeti's ladder of repairs, whose tags may forbid it unasked; absent: below the ladder. */
  readonly rung?: Rung;
  /** What it does and what it refuses, and the wiki's manual commands next to it; lines of text. */
  readonly explanation: readonly string[];
  /** In the order in which the command line takes them. */
  readonly parameters: readonly RunbookParameter[];
  /** What an incident of a kind that names this runbook gives as parameters; undefined: it cannot. */
  readonly forIncident?: (incident: Incident, view: ClusterView) => Record<string, string> | undefined;
  /**
   * What must be asked before the plan is made, for no agent reports it by itself: generations, holders. A plan that
   * is made without says so, in its refusals or notes.
   *
   * @throws VigieError as plan() does
   */
  readonly asks?: (request: RunbookRequest) => readonly Question[];
  /**
   * Without a hash. What is wrong with the world is in Plan.refusals, and then there may be no steps; what is wrong
   * with a parameter is thrown.
   *
   * @throws VigieError NOT_FOUND for what does not exist, INVALID_ARGUMENT for what is no such value
   */
  readonly plan: (request: RunbookRequest) => Plan;
}

export function stepById(plan: Plan, id: string): PlanStep | undefined {
  return plan.steps.find((step) => step.id === id);
}
