/** Who holds a minor, for the guards. */
import { Source, SourceState } from "@vigie/proto";
import type { HoldersSeen } from "../guards/held-open.js";
import type { Look } from "./action.js";

/** A minor that is not there is held by nobody. */
export async function holdersOf(minor: number, look: Look): Promise<HoldersSeen> {
  const { facts, state, reason, damaged } = await look.read(Source.HOLDERS, { minor, jobId: 0 });
  if (state === SourceState.ABSENT) return { holders: [], damaged: [], unknownBecause: "" };
  if (facts?.$case !== "holders" || facts.value.minor !== minor)
    return { holders: [], damaged: [], unknownBecause: reason || "the answer is of another minor" };
  return { holders: facts.value.holders, damaged, unknownBecause: "" };
}
