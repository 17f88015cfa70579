/** When is everything redundant again? When the step at work is done, and what later steps copy, at the rate of now. */
import type { Plan, RunEvent } from "@vigie/proto";
import type { Progress } from "./conditions/condition.js";
import { isDone } from "./run-log.js";

/** @returns ms since 1970; 0: not known, or nothing is copied after this step */
export function runFinishUnixMs(
  plan: Plan,
  events: readonly RunEvent[],
  stepId: string,
  { finishUnixMs, kibPerS }: Progress,
): number {
  const laterKib = plan.steps
    .filter((step) => step.id !== stepId && !step.onlyAsUndo && !isDone(events, step.id))
    .reduce((sum, { copiesKib }) => sum + copiesKib, 0);
  if (finishUnixMs === 0 || kibPerS === 0 || laterKib === 0) return 0;
  return Math.round(finishUnixMs + (laterKib / kibPerS) * 1000);
}
