/**
 * Who led last, as this node remembers it (I25). What is remembered refuses every lower epoch for ever, so a number
 * beyond reason is not remembered: one damaged or forged message would lock out every later leader.
 */
import { VigieError } from "@vigie/proto";
import type { Journal } from "./journal.js";

/** Leaders count up by one. A node that was away for a year of one change a minute is half of this behind. */
export const EPOCH_JUMP_MAX = 2 ** 20;

/**
 * On disk before anything is done for this leader.
 * @throws VigieError STALE_EPOCH; JOURNAL_BROKEN
 */
export function rememberEpoch(
  journal: Pick<Journal, "highestEpoch" | "append">,
  epoch: number,
  wallUnixMs: number,
): void {
  const known = journal.highestEpoch();
  if (epoch === 0) throw new VigieError("STALE_EPOCH", "the caller does not lead: it has no epoch");
  if (epoch < known) throw new VigieError("STALE_EPOCH", `epoch ${epoch} is over: ${known} was seen`);
  if (epoch - known > EPOCH_JUMP_MAX)
    throw new VigieError(
      "STALE_EPOCH",
      `epoch ${epoch} is beyond reason: the highest seen is ${known}; it is not remembered`,
    );
  if (epoch > known) journal.append({ kind: "epoch", epoch }, wallUnixMs);
}
