/** A request's ids, and by its action's own check every value that may reach an argv, are of their types (I36). */
import { VigieError, type ActionRequest } from "@vigie/proto";
import type { RequestedAction } from "./actions/action.js";
import { definitionOf } from "./actions/index.js";
import { must } from "./argument-types.js";

const RUN_ID = /^r-[a-z0-9-]{1,60}$/;
const STEP_ID = /^[a-z0-9][a-z0-9-]{0,60}$/;

/**
 * @returns the action that is asked for
 * @throws VigieError INVALID_ARGUMENT naming the value
 */
export function checkArguments(request: ActionRequest): RequestedAction {
  must(RUN_ID.test(request.runId), "run id", request.runId);
  must(STEP_ID.test(request.stepId), "step id", request.stepId);
  const action = request.action?.kind;
  if (action === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no action");
  definitionOf(action).check(action.value);
  return action;
}
