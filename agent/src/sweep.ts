/**
 * No cut outlives its reason (I17, I20). At start and at stop everything of ours is taken away: a cut that an
 * earlier life of this agent left is nobody's now. Every minute, and whenever the cuts are read, one that this life
 * did not make is removed and told.
 */
import type { Damaged, LinkCut } from "@vigie/proto";
import type { Host } from "./host.js";
import type { Journal } from "./journal.js";
import { CUT_SETS, dismantleSteps, flushCuts, removeCut } from "./link-fence.js";

export const SWEEP_PERIOD_MS = 60_000;

export async function sweepAtStart(
  host: Host,
  journal: Journal,
  standing: readonly LinkCut[],
): Promise<void> {
  if (standing.length > 0) tell(journal, { why: "agent start", cuts: standing }, host.wallUnixMs());
  for (const set of CUT_SETS) await host.run(flushCuts(set)); // fails where there is no such set: nothing to sweep
}

export async function sweepAtStop(host: Host): Promise<void> {
  for (const step of dismantleSteps()) await host.run(step); // each may fail because it is not there
}

/**
 * @param madeHere the run ids whose cuts this life of the agent made
 * @returns the cuts that were removed because nobody answers for them
 */
export async function sweepUnknown(
  host: Host,
  journal: Journal,
  standing: readonly LinkCut[],
  madeHere: (runId: string) => boolean,
): Promise<readonly LinkCut[]> {
  const unknown = standing.filter((cut) => !madeHere(cut.runId));
  if (unknown.length === 0) return [];
  tell(journal, { why: "nobody answers for it", cuts: unknown }, host.wallUnixMs());
  for (const cut of unknown) await host.run(removeCut(cut));
  return unknown;
}

/** What is not understood in our sets cuts something, and nobody knows what: all of it goes (I20). */
export async function sweepAll(host: Host, journal: Journal, damaged: readonly Damaged[]): Promise<void> {
  tell(journal, { why: "not understood", damaged }, host.wallUnixMs());
  for (const set of CUT_SETS) await host.run(flushCuts(set));
}

/** A journal that cannot be written stops every action, but not this: an open link is the safe side (I17, I24). */
function tell(journal: Journal, detail: unknown, wallUnixMs: number): void {
  try {
    journal.append({ kind: "sweep", detail }, wallUnixMs);
  } catch {
    // the journal is broken now, and each report says so
  }
}
