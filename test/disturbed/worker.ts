/** One process that does what its parent names: plays seeds, or a planted bug until it is caught. */
import type { Counted } from "./exposure.js";
import { catchMutant, type Catch } from "./mutants/catch.js";
import { MUTANTS } from "./mutants/index.js";
import { playSeed } from "./play-seed.js";

export type Task =
  | { readonly what: "seeds"; readonly from: number; readonly seeds: number }
  | { readonly what: "mutant"; readonly name: string; readonly seeds: number };

export interface Played {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly known: readonly string[];
  readonly counts: readonly (readonly [Counted, number])[];
  readonly virtualMs: number;
}

export type Done = { readonly played: readonly Played[] } | { readonly caught: Catch };

Error.stackTraceLimit = 0; // an errno is made a thousand times for each that anybody reads

process.on("message", (task: Task) => {
  void perform(task).then((done) => process.send?.(done));
});

async function perform(task: Task): Promise<Done> {
  if (task.what === "seeds") return { played: await playAll(task.from, task.seeds) };
  const mutant = MUTANTS.find(({ name }) => name === task.name);
  if (mutant === undefined) throw new Error(`no mutant ${task.name}`);
  return { caught: await catchMutant(mutant, task.seeds) };
}

async function playAll(from: number, seeds: number): Promise<Played[]> {
  const played: Played[] = [];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { broken, known, counts, virtualMs } = await playSeed(seed);
    played.push({ seed, broken, known, counts: [...counts], virtualMs });
  }
  return played;
}
