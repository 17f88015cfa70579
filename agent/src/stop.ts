/**
 * The cluster's kill switch, as this node remembers it (I33): on disk, so that it holds through a restart, and so that
 * the orchestrator of the next master learns of it. The file on the node is another one, and needs nobody.
 */
import { VigieError, type Stop } from "@vigie/proto";
import type { Journal } from "./journal.js";

/** A person sets it now and then; a number beyond reason would make every later setting count for nothing. */
export const STOP_JUMP_MAX = 2 ** 20;

/** An older setting than the one that is known changes nothing. @throws VigieError INVALID_ARGUMENT, JOURNAL_BROKEN */
export function rememberStop(
  journal: Pick<Journal, "stop" | "append">,
  { number, why }: Stop,
  wallUnixMs: number,
): void {
  const known = journal.stop().number;
  if (number <= known) return;
  if (number - known > STOP_JUMP_MAX)
    throw new VigieError("INVALID_ARGUMENT", `stop ${number} is beyond reason: the newest known is ${known}`);
  journal.append({ kind: "stop", stop: { number, why } }, wallUnixMs);
}
