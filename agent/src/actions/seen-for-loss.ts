/** What judgeDetach and judgeGoesOffline are given: read here and now, and bounded by when the peer was asked. */
import { Source, type DrbdEnd, type PeerReport } from "@vigie/proto";
import type { SeenForLoss } from "../guards/lose-copy.js";
import type { Look } from "./action.js";

export async function seenForLoss(
  end: DrbdEnd | undefined,
  report: PeerReport | undefined,
  look: Look,
): Promise<SeenForLoss> {
  const minor = end?.minor ?? -1;
  const [config, { cuts, unknown }, currentUuid] = await Promise.all([
    look.drbdConfig(minor),
    look.cuts(),
    currentGeneration(minor, look),
  ]);
  const seen = await look.drbdMinor(minor); // last: it is what moves (I14)
  return {
    bootId: look.bootId,
    config,
    own: seen.minor,
    ownUnknownBecause: seen.unknown,
    ownAgeMs: look.host.monotonicMs() - seen.readAtMs,
    ownRedundantMs: seen.redundantMs,
    currentUuid,
    cuts,
    cutsUnknownBecause: unknown,
    peerAgeMs: report === undefined ? undefined : report.ageMs + look.requestAgeMs(),
  };
}

/** Empty where drbdsetup does not tell: a minor without its disk has none. */
export async function currentGeneration(minor: number, look: Look): Promise<string> {
  const { facts } = await look.read(Source.DRBD_GENERATIONS, { minor, jobId: 0 });
  return facts?.$case === "drbdGenerations" ? facts.value.currentUuid : "";
}
