/** One process that plays the seeds that its parent names. */
import type { Counted } from "./exposure.js";
import { playSeed } from "./play-seed.js";

export interface Batch {
  readonly from: number;
  readonly seeds: number;
}

export interface Played {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly known: readonly string[];
  readonly counts: readonly (readonly [Counted, number])[];
  readonly virtualMs: number;
}

Error.stackTraceLimit = 0; // an errno is made a thousand times for each that anybody reads

process.on("message", (batch: Batch) => {
  void playAll(batch).then((played) => process.send?.(played));
});

async function playAll({ from, seeds }: Batch): Promise<Played[]> {
  const played: Played[] = [];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { broken, known, counts, virtualMs } = await playSeed(seed);
    played.push({ seed, broken, known, counts: [...counts], virtualMs });
  }
  return played;
}
