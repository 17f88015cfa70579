/**
 * `npm run test:disturbed [-- options]`: plays random disturbed worlds, and the planted bugs that prove the judge.
 * Exit codes: 0 nothing was broken, and every bug was caught; 1 otherwise, or the run is void; 2 wrong words.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { MUTANTS } from "./mutants/index.js";
import { playSeed } from "./play-seed.js";
import { createTotals } from "./totals.js";
import type { Task } from "./worker.js";
import { doAll } from "./workers.js";

const BATCH = 10;
const MUTANT_SEEDS = 150; // within which each must be caught

const HELP = `npm run test:disturbed [-- options]
  --seed N      play this one, and show its log
  --seeds N     how many (2000); 0: only the planted bugs
  --from N      the first one (1)
  --no-mutants  leave the planted bugs out
  --workers N   processes (${availableParallelism()}: one for each core)`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string", default: "2000" },
      from: { type: "string", default: "1" },
      "no-mutants": { type: "boolean", default: false },
      workers: { type: "string", default: String(availableParallelism()) },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [seed, seeds, from, workers] = [values.seed ?? "0", values.seeds, values.from, values.workers].map(
    Number,
  );
  const wrong = [seed, seeds, from, workers].some((n) => !Number.isInteger(n) || (n ?? -1) < 0);
  if (values.help || wrong || workers === 0) {
    console.error(HELP);
    return values.help ? 0 : 2;
  }
  if (values.seed !== undefined) return playOne(seed ?? 0);
  const planted = values["no-mutants"] ? [] : MUTANTS;
  return playMany(
    from ?? 1,
    seeds ?? 0,
    workers ?? 1,
    planted.map(({ name }) => name),
  );
}

async function playOne(seed: number): Promise<number> {
  const { log, broken } = await playSeed(seed);
  console.log(log.join("\n"));
  return broken.length === 0 ? 0 : 1;
}

async function playMany(
  from: number,
  seeds: number,
  workers: number,
  planted: readonly string[],
): Promise<number> {
  const startedMs = performance.now();
  const totals = createTotals((line) => console.log(line));
  const batches = Array.from({ length: Math.ceil(seeds / BATCH) }, (_, i): Task => {
    const first = from + i * BATCH;
    return { what: "seeds", from: first, seeds: Math.min(BATCH, from + seeds - first) };
  });
  const mutants = planted.map((name): Task => ({ what: "mutant", name, seeds: MUTANT_SEEDS }));
  await doAll([...mutants, ...batches], workers, totals.add);
  return totals.print(seeds, (performance.now() - startedMs) / 1000, workers) ? 0 : 1;
}

process.exit(await main());
