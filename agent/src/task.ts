/** One request, its arguments checked, with what makes it the same one when it comes again (I23). */
import { createHash } from "node:crypto";
import type { ActionRequest } from "@vigie/proto";
import type { ActionDefinition, RequestedAction } from "./actions/action.js";
import { definitionOf } from "./actions/index.js";
import { checkArguments } from "./argument-check.js";

/** Of the session that the request came by. */
export interface Caller {
  readonly orchestratorNode: string; // by its certificate
  /** Monotonic ms when the report with this sequence was sent; undefined: not of this session. */
  readonly sentAtMs: (sequence: number) => number | undefined;
}

export interface Task {
  readonly request: ActionRequest;
  readonly caller: Caller;
  readonly action: RequestedAction;
  readonly definition: ActionDefinition<RequestedAction["value"]>;
  readonly key: string; // of idempotency
  readonly body: string; // what must be the same when the key comes again
}

/** @throws VigieError INVALID_ARGUMENT */
export function taskOf(request: ActionRequest, caller: Caller): Task {
  const action = checkArguments(request);
  const definition = definitionOf(action);
  const about = definition.identityOf?.(action.value) ?? action.value;
  const body = createHash("sha256")
    .update(JSON.stringify([request.node, action.$case, about]))
    .digest("hex");
  const key = `${request.runId}/${request.stepId}/${request.attempt}`;
  return { request, caller, action, definition, key, body };
}
