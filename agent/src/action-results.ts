/** What an action's answer is made of: a verdict on the world, a refusal, or what went wrong. */
import {
  ActionOutcome,
  ActionResult,
  explain,
  VigieError,
  type ActionRequest,
  type GuardFact,
  type VigieErrorCode,
} from "@vigie/proto";
import type { Verdict } from "./actions/action.js";

export function verdictResult({ done, message, jobId = 0 }: Verdict): Partial<ActionResult> {
  if (done === true) return { outcome: ActionOutcome.DONE, message, jobId };
  const outcome = done === "unknown" ? ActionOutcome.UNKNOWN : ActionOutcome.FAILED;
  return { outcome, code: "VERIFY_FAILED", message, jobId };
}

/** Refused for its age alone, or for too short a watch, it may be asked again, with facts of then. */
export function guardResult(guard: GuardFact[]): Partial<ActionResult> | undefined {
  const refusing = guard.filter((fact) => !fact.holds);
  if (refusing.length === 0) return undefined;
  return {
    outcome: ActionOutcome.REFUSED,
    code: codeOf(refusing),
    message: refusing.map(refusal).join("; "),
    guard,
  };
}

function codeOf(refusing: readonly GuardFact[]): VigieErrorCode {
  if (refusing.every(({ late }) => late)) return "TOO_LATE";
  return refusing.every(({ late, early }) => late || early) ? "NOT_KNOWN_YET" : "GUARD_REFUSED";
}

function refusal(fact: GuardFact): string {
  return `${fact.name} is ${fact.value}${fact.invariant === "" ? "" : ` (${fact.invariant})`}`;
}

/** What was thrown: a refusal, but for what may have taken effect. */
export function failure(request: ActionRequest, error: unknown): ActionResult {
  const { runId, stepId, attempt } = request;
  const code = error instanceof VigieError ? error.code : "COMMAND_FAILED";
  const unknown = code === "COMMAND_TIMED_OUT" || !(error instanceof VigieError);
  const outcome = unknown ? ActionOutcome.UNKNOWN : ActionOutcome.REFUSED;
  return ActionResult.create({ runId, stepId, attempt, outcome, code, message: explain(error) });
}
