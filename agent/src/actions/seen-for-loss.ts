/** What judgeDetach and judgeGoesOffline are given: read here and now, and bounded by when the peer was asked. */
import { Source, type DrbdEnd, type PeerReport } from "@vigie/proto";
import type { SeenForLoss } from "../guards/lose-copy.js";
import type { Look } from "./action.js";

/**
 * All ends side by side, and what moves last, so that none of it is older than the others' reading took (I14).
 * @param reports of the ends' peers, in the ends' order
 */
export async function seenForLoss(
  ends: readonly (DrbdEnd | undefined)[],
  reports: readonly (PeerReport | undefined)[],
  look: Look,
): Promise<SeenForLoss[]> {
  const minors = ends.map((end) => end?.minor ?? -1);
  const [{ cuts, unknown }, configs, generations] = await Promise.all([
    look.cuts(),
    Promise.all(minors.map((minor) => look.drbdConfig(minor))),
    Promise.all(minors.map((minor) => currentGeneration(minor, look))),
  ]);
  const seen = await Promise.all(minors.map((minor) => look.drbdMinor(minor)));
  const nowMs = look.host.monotonicMs();
  return seen.map((own, index) => ({
    bootId: look.bootId,
    config: configs[index],
    own: own.minor,
    ownUnknownBecause: own.unknown,
    ownAgeMs: nowMs - own.readAtMs,
    ownRedundantMs: own.redundantMs,
    currentUuid: generations[index] ?? "",
    cuts,
    cutsUnknownBecause: unknown,
    peerAgeMs: peerAgeMs(reports[index], look),
  }));
}

/** Upper bound of the time since the peer was asked; undefined: there is no report of it. */
export function peerAgeMs(report: PeerReport | undefined, look: Look): number | undefined {
  return report === undefined ? undefined : report.ageMs + look.requestAgeMs();
}

/** Empty where drbdsetup does not tell: a minor without its disk has none. */
export async function currentGeneration(minor: number, look: Look): Promise<string> {
  const { facts } = await look.read(Source.DRBD_GENERATIONS, { minor, jobId: 0 });
  return facts?.$case === "drbdGenerations" ? facts.value.currentUuid : "";
}
