/** No cut of ours stands on this link: while one does, nothing else is done to its minor (I21). */
import type { DrbdEnd, GuardFact, LinkCut } from "@vigie/proto";
import { fact, unknownFact } from "./fact.js";

export interface CutsKnown {
  readonly cuts: readonly LinkCut[];
  readonly cutsUnknownBecause: string; // empty: all that stand are in `cuts`
}

export function noCutFact(end: DrbdEnd | undefined, { cuts, cutsUnknownBecause }: CutsKnown): GuardFact {
  if (cutsUnknownBecause !== "") return unknownFact("cut of this link", `unknown: ${cutsUnknownBecause}`);
  const standing = cuts.find((cut) => cut.peerAddress === end?.peerAddress && cut.port === end.port);
  const value = standing === undefined ? "none" : `of ${standing.runId}`;
  return fact("cut of this link", value, standing === undefined, "I21");
}
