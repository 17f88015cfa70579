/**
 * When the journal is checkpointed: once a day of this process' life, and at its start where the newest one is a day old
 * by the wall clock. A clock that leaps makes one checkpoint at a start, never many (I23).
 */
import { explain, type Clock } from "@vigie/proto";
import type { Journal } from "./journal.js";

const DAY_MS = 24 * 3_600_000;
const LOOK_EVERY_MS = 3_600_000;

export async function keepCheckpoints(
  clock: Clock,
  journal: Journal,
  log: (event: string, detail: Record<string, unknown>) => void,
  signal: AbortSignal,
): Promise<void> {
  let madeMs = clock.monotonicMs() - ageMs(journal, clock.wallUnixMs());
  while (!signal.aborted) {
    if (clock.monotonicMs() - madeMs >= DAY_MS) {
      madeMs = clock.monotonicMs();
      make();
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }

  function make(): void {
    if (journal.broken() !== "") return; // each report says so
    try {
      const problem = journal.checkpoint(clock.wallUnixMs());
      if (problem === "") log("journal.checkpoint", { records: journal.records() });
      else log("journal.not-shortened", { alarm: true, reason: problem });
    } catch (error) {
      log("journal.broken", { alarm: true, reason: explain(error) });
    }
  }
}

/** Of the newest checkpoint, or of the first record; a day at most, and none where the clock was set back. */
function ageMs(journal: Journal, wallUnixMs: number): number {
  const sinceUnixMs = journal.checkpointedUnixMs() ?? wallUnixMs;
  return Math.min(DAY_MS, Math.max(0, wallUnixMs - sinceUnixMs));
}
