/** Cut one DRBD link for a limited time: the wiki's iptables, for one peer and one port, with an end (W1). */
import { explain, type CutDrbdLink, type DrbdEnd } from "@vigie/proto";
import { jobWithId } from "../ganeti-queue.js";
import { judgeCut, type MigrationSeen } from "../guards/cut-drbd-link.js";
import { allHold } from "../guards/fact.js";
import { fenceFacts, type FenceSeen } from "../guards/fence.js";
import {
  chainOf,
  endConnections,
  fenceSteps,
  HOOKS,
  makeCut,
  rulesIn,
  type Cut,
  type TimedCut,
} from "../link-fence.js";
import { checkEnd, checkWhole } from "../argument-types.js";
import { readMasterNode } from "../sources/ssconf.js";
import type { ActionDefinition, Asker, Look } from "./action.js";
import { linkConfig } from "./link-config.js";
import { peerAgeMs } from "./seen-for-loss.js";

const TTL_MAX_S = 3_600; // that it is a number; the guard knows how long a cut may be (I17, I19)

export const cutDrbdLink: ActionDefinition<CutDrbdLink> = {
  name: "cutDrbdLink",
  about: (params) => params.end?.node ?? "",
  check: ({ end, ttlS }) => {
    checkEnd(end);
    checkWhole(ttlS, 0, TTL_MAX_S, "time to live, in s");
  },
  identityOf: (params) => ({ ...params, peer: undefined }),
  usesFirewall: true,
  locks: (params) => [minorLock(params.end)],
  guard: async (params, look) => {
    const minor = params.end?.minor ?? -1;
    const of = timedCut(params, look.asker);
    const [config, { cuts, unknown }, fence, migration] = await Promise.all([
      linkConfig(params.end, look),
      look.cuts(),
      look.prepared ? seenFence(of, look).then((seen) => ({ ...seen, of })) : undefined,
      seenMigration(params, look),
    ]);
    const seen = await look.drbdMinor(minor);
    return judgeCut(params, {
      own: seen.minor,
      ownUnknownBecause: seen.unknown,
      ownAgeMs: look.host.monotonicMs() - seen.readAtMs,
      ownStillMs: seen.stillMs,
      bootId: look.bootId,
      config,
      cuts,
      cutsUnknownBecause: unknown,
      peerAgeMs: peerAgeMs(params.peer, look),
      fence,
      migration,
    });
  },
  holds: () => Promise.resolve<false>(false), // a cut that stands already is another's: the guard refuses it
  identity: () => Promise.resolve([]),
  prepare: {
    isSeen: false, // rules that match nothing
    needed: async (params, look) => {
      const cut = timedCut(params, look.asker);
      return !allHold(fenceFacts(cut, await seenFence(cut, look)));
    },
    steps: (params, asker) => fenceSteps(timedCut(params, asker)),
  },
  steps: (params, asker) => {
    const cut = timedCut(params, asker);
    return [makeCut(cut), { run: endConnections(cut), optional: true }];
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

function timedCut({ end, ttlS }: CutDrbdLink, { runId }: Asker): TimedCut {
  return { ...cutOf(end), ttlS, runId };
}

/** What `iptables -S` prints of INPUT, OUTPUT and the cut's own chain. */
export async function seenFence(cut: TimedCut, { host }: Pick<Look, "host">): Promise<FenceSeen> {
  const [input, output, chain] = await Promise.all(
    [...HOOKS, chainOf(cut)].map(async (name) => (await host.run(rulesIn(cut, name))).stdout.split("\n")),
  );
  return { hooks: { INPUT: input ?? [], OUTPUT: output ?? [] }, chain: chain ?? [] };
}

/** Only the master's agent can ask Ganeti; elsewhere the orchestrator's word counts, which asked it before it sent. */
async function seenMigration({ migrateJobId }: CutDrbdLink, look: Look): Promise<MigrationSeen> {
  if (migrateJobId === 0) return { by: "nobody" };
  const master = await readMasterNode(look.host).catch(() => "");
  if (master !== look.nodeName) return { by: "the orchestrator" };
  try {
    const job = await jobWithId(look.host, migrateJobId);
    return { by: "Ganeti", status: job?.status ?? "not known", summary: job?.summary ?? "" };
  } catch (error) {
    return { by: "Ganeti", status: explain(error), summary: "" };
  }
}

/** @returns the cut of this link; with `unknown`, that none is found does not say that there is none (I11) */
export async function findCut(end: DrbdEnd | undefined, look: Look) {
  const { cuts, unknown } = await look.cuts();
  const standing = cuts.find((cut) => cut.peerAddress === end?.peerAddress && cut.port === end.port);
  return { standing, unknown };
}
