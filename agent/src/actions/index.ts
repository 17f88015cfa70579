/** The closed list of what this agent can do. What is not here cannot be asked for. */
import { VigieError } from "@vigie/proto";
import type { ActionDefinition, RequestedAction } from "./action.js";
import { continueWatcher } from "./continue-watcher.js";
import { cutDrbdLink } from "./cut-drbd-link.js";
import { killMigrationJob } from "./kill-migration-job.js";
import { pauseWatcher } from "./pause-watcher.js";
import { restoreDrbdLink } from "./restore-drbd-link.js";
import { submitGanetiJob } from "./submit-ganeti-job.js";

// Each definition takes the parameters of its own case; definitionOf hands it to those of the action's case only.
export const ACTIONS: Readonly<Partial<Record<RequestedAction["$case"], ActionDefinition<never>>>> = {
  cutDrbdLink,
  restoreDrbdLink,
  submitGanetiJob,
  killMigrationJob,
  pauseWatcher,
  continueWatcher,
};

/** @throws VigieError INVALID_ARGUMENT for a kind of action that this agent does not have */
export function definitionOf(action: RequestedAction): ActionDefinition<RequestedAction["value"]> {
  const definition = Object.hasOwn(ACTIONS, action.$case) ? ACTIONS[action.$case] : undefined;
  if (definition !== undefined) return definition as ActionDefinition<RequestedAction["value"]>;
  throw new VigieError("INVALID_ARGUMENT", `this agent cannot ${action.$case}`);
}
