/** What all seeds came to, and how it is printed. */
import { FLOOR_SEEDS, underFloor, type Counted } from "./exposure.js";
import { knownOf } from "./known.js";
import type { Catch } from "./mutants/catch.js";
import type { Done, Played } from "./worker.js";

export interface Totals {
  readonly add: (done: Done) => void;
  /** @returns whether nothing was broken, enough was exposed, and every planted bug was caught */
  readonly print: (seeds: number, seconds: number, workers: number) => boolean;
}

export function createTotals(say: (line: string) => void): Totals {
  const counts = new Map<Counted, number>();
  const known = new Map<string, number[]>(); // why → seeds
  const caught: Catch[] = [];
  let failed = 0;
  let virtualMs = 0;
  return {
    add: (done) => {
      if ("caught" in done) addCaught(done.caught);
      else for (const played of done.played) addPlayed(played);
    },
    print: (seeds, seconds, workers) => {
      for (const what of [...counts.keys()].toSorted())
        say(`${String(counts.get(what)).padStart(9)}  ${what}`);
      for (const [why, at] of known)
        say(`known, not mended: ${why}: ${at.length} seeds, the first is ${Math.min(...at)}`);
      const tooFew = seeds >= FLOOR_SEEDS ? underFloor(counts, seeds) : [];
      for (const line of tooFew) say(`void: ${line}`);
      const missed = caught.filter(({ seed }) => seed === 0).length;
      if (caught.length > 0) say(`${caught.length - missed} of ${caught.length} mutants caught`);
      say(
        `${seeds} seeds in ${seconds.toFixed(0)} s with ${workers} workers, ${(virtualMs / 3_600_000).toFixed(0)} h of virtual time; ${failed} failed`,
      );
      return failed === 0 && missed === 0 && tooFew.length === 0;
    },
  };

  function addCaught(mutant: Catch): void {
    const { name, seed, line } = mutant;
    caught.push(mutant);
    say(seed === 0 ? `not caught: ${name}` : `caught by seed ${seed}: ${name}: ${line.slice(0, 100)}`);
  }

  function addPlayed(played: Played): void {
    virtualMs += played.virtualMs;
    for (const [what, times] of played.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    for (const why of new Set(played.known.map((line) => knownOf(line)?.why ?? line)))
      known.set(why, [...(known.get(why) ?? []), played.seed]);
    if (played.broken.length === 0) return;
    failed += 1;
    say(`seed ${played.seed}:\n${played.broken.map((line) => `  ${line}`).join("\n")}`);
  }
}
