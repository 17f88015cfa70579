/** Plays a planted bug from the first seed on, until the judge says of it what it must. */
import { playSeed } from "../play-seed.js";
import type { Mutant } from "./mutant.js";

export interface Catch {
  readonly name: string;
  readonly seed: number; // 0: it was not caught
  readonly line: string;
}

export async function catchMutant(mutant: Mutant, seeds: number): Promise<Catch> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { broken, known } = await playSeed(seed, mutant);
    const line = [...broken, ...known].find((found) => mutant.breaks.test(found));
    if (line !== undefined) return { name: mutant.name, seed, line };
  }
  return { name: mutant.name, seed: 0, line: "" };
}
