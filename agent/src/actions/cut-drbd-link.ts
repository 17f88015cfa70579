/** Cut one DRBD link for a limited time: the wiki's iptables, for one peer and one port, with an end (W1). */
import type { CutDrbdLink, DrbdEnd } from "@vigie/proto";
import { judgeCut } from "../guards/cut-drbd-link.js";
import { addCut, fenceSteps, type Cut } from "../link-fence.js";
import { checkEnd, checkWhole } from "../argument-types.js";
import type { ActionDefinition, Look } from "./action.js";
import { linkConfig } from "./link-config.js";

const TTL_MAX_S = 3_600; // that it is a number; the guard knows how long a cut may be (I17, I19)

export const cutDrbdLink: ActionDefinition<CutDrbdLink> = {
  name: "cutDrbdLink",
  about: (params) => params.end?.node ?? "",
  check: ({ end, ttlS }) => {
    checkEnd(end);
    checkWhole(ttlS, 0, TTL_MAX_S, "time to live, in s");
  },
  identityOf: (params) => ({ ...params, peer: undefined }),
  locks: (params) => [minorLock(params.end)],
  guard: async (params, look) => {
    const minor = params.end?.minor ?? -1;
    const [seen, config, { cuts, unknown }] = await Promise.all([
      look.drbdMinor(minor),
      linkConfig(params.end, look),
      look.cuts(),
    ]);
    return judgeCut(params, {
      own: seen.minor,
      ownUnknownBecause: seen.unknown,
      ownAgeMs: look.host.monotonicMs() - seen.readAtMs,
      ownStillMs: seen.stillMs,
      bootId: look.bootId,
      config,
      cuts,
      cutsUnknownBecause: unknown,
      peerAgeMs: params.peer === undefined ? undefined : params.peer.ageMs + look.requestAgeMs(),
    });
  },
  holds: () => Promise.resolve<false>(false), // a cut that stands already is another's: the guard refuses it
  steps: (params, { runId }) => {
    const cut = cutOf(params.end);
    return [...fenceSteps(cut), { run: addCut(cut, params.ttlS, runId) }];
  },
  verify: async (params, look) => {
    const { standing, unknown } = await findCut(params.end, look);
    if (standing === undefined && unknown !== "") return { done: "unknown", message: unknown };
    if (standing === undefined) return { done: false, message: "the kernel does not list the cut" };
    return {
      done: true,
      message: `the kernel removes the cut in ${standing.expiresInS} s, whatever happens`,
    };
  },
};

/** What all actions on one minor of this node share (I9). */
export function minorLock(end: DrbdEnd | undefined): string {
  return `minor ${end?.minor ?? "?"}`;
}

export function cutOf(end: DrbdEnd | undefined): Cut {
  return { peerAddress: end?.peerAddress ?? "", port: end?.port ?? 0 };
}

/** @returns the cut of this link; with `unknown`, that none is found does not say that there is none (I11) */
export async function findCut(end: DrbdEnd | undefined, look: Look) {
  const { cuts, unknown } = await look.cuts();
  const standing = cuts.find((cut) => cut.peerAddress === end?.peerAddress && cut.port === end.port);
  return { standing, unknown };
}
