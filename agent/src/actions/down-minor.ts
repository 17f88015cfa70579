/** Take down the minor of a stopped instance that Ganeti could not (W3). */
import type { DownMinor } from "@vigie/proto";
import { checkEnd } from "../argument-types.js";
import { judgeDown } from "../guards/down-minor.js";
import type { ActionDefinition } from "./action.js";
import { identityOfGone } from "./identity.js";
import { minorLock } from "./cut-drbd-link.js";
import { down } from "./drbdsetup.js";
import { holdersOf } from "./look-at-holders.js";
import { minorNow } from "./minor-now.js";

export const downMinor: ActionDefinition<DownMinor> = {
  name: "downMinor",
  about: ({ end }) => end?.node ?? "",
  check: ({ end }) => checkEnd(end),
  identityOf: (params) => ({ ...params, instanceStopped: undefined }), // set when the step is sent
  locks: ({ end }) => [minorLock(end)],
  factsMaxAgeMs: 8_000, // every process is looked at; the kernel itself refuses what is held open
  guard: async (params, look) => {
    const minor = params.end?.minor ?? -1;
    const [held, config, { cuts, unknown }] = await Promise.all([
      holdersOf(minor, look),
      look.drbdConfig(minor),
      look.cuts(),
    ]);
    const seen = await look.drbdMinor(minor);
    return judgeDown(params, {
      bootId: look.bootId,
      config,
      own: seen.minor,
      ownUnknownBecause: seen.unknown,
      ownAgeMs: look.host.monotonicMs() - seen.readAtMs,
      held,
      cuts,
      cutsUnknownBecause: unknown,
    });
  },
  holds: async ({ end }, look) => {
    const now = await minorNow(end?.minor ?? -1, look);
    return now.is === "gone" && { message: `minor ${end?.minor} is not configured` };
  },
  identity: ({ end }, look) => identityOfGone(end, look),
  steps: ({ end }) => (end === undefined ? [] : [{ run: down(end.minor) }]),
  verify: async ({ end }, look) => {
    const now = await minorNow(end?.minor ?? -1, look);
    if (now.is === "unknown") return { done: "unknown", message: now.because };
    if (now.is === "gone") return { done: true, message: `minor ${end?.minor} is not configured any more` };
    return { done: false, message: `minor ${end?.minor} is still configured` };
  },
};
