/** Take a cut away. Never refused for the link's state: an open link is the safe side (I17). */
import { GuardFact, type RestoreDrbdLink } from "@vigie/proto";
import { openSteps } from "../link-fence.js";
import { checkEnd } from "../argument-types.js";
import type { ActionDefinition } from "./action.js";
import { cutOf, findCut, minorLock } from "./cut-drbd-link.js";

export const restoreDrbdLink: ActionDefinition<RestoreDrbdLink> = {
  name: "restoreDrbdLink",
  about: (params) => params.end?.node ?? "",
  check: (params) => checkEnd(params.end),
  usesFirewall: true,
  takesBack: true,
  locks: (params) => [minorLock(params.end)],
  guard: (params) =>
    Promise.resolve([
      GuardFact.create({
        name: "which end",
        value: params.end?.instance ?? "not named",
        holds: params.end !== undefined,
        invariant: "I13",
      }),
    ]),
  holds: async (params, look) => {
    const { standing, unknown } = await findCut(params.end, look);
    return standing === undefined && unknown === "" && { message: "the kernel lists no cut of this link" };
  },
  identity: () => Promise.resolve([]), // that nothing is cut is so of whatever has this address and port
  steps: (params) => openSteps(cutOf(params.end)),
  verify: async (params, look) => {
    const { standing, unknown } = await findCut(params.end, look);
    if (unknown !== "")
      return { done: "unknown", message: `whether the cut stands is not known: ${unknown}` };
    if (standing === undefined) return { done: true, message: "the kernel lists no cut of this link" };
    return { done: false, message: `the cut still stands, for ${standing.expiresInS} s` };
  },
};
