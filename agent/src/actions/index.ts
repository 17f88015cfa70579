/** The closed list of what this agent can do. What is not here cannot be asked for. */
import type { ActionDefinition, RequestedAction } from "./action.js";
import { cutDrbdLink } from "./cut-drbd-link.js";
import { restoreDrbdLink } from "./restore-drbd-link.js";

// Each definition takes the parameters of its own case; perform.ts hands it those of the request's case only.
export const ACTIONS: Readonly<Record<RequestedAction["$case"], ActionDefinition<never>>> = {
  cutDrbdLink,
  restoreDrbdLink,
};
