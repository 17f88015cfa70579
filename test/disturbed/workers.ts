/** Plays seeds in processes of their own, one for each core; each takes the next seeds when it has done its own. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Counted } from "./exposure.js";
import { knownOf } from "./known.js";
import type { Batch, Played } from "./worker.js";

const BATCH = 10;

export interface Totals {
  readonly counts: Map<Counted, number>;
  /** Why, and in which seeds. */
  readonly known: Map<string, number[]>;
  failed: number;
  virtualMs: number;
}

export async function playSeeds(
  from: number,
  seeds: number,
  workers: number,
  failure: (seed: number, broken: readonly string[]) => void,
): Promise<Totals> {
  const totals: Totals = { counts: new Map(), known: new Map(), failed: 0, virtualMs: 0 };
  let next = from;
  await Promise.all(Array.from({ length: workers }, () => work(startWorker())));
  return totals;

  async function work(worker: ChildProcess): Promise<void> {
    while (next < from + seeds) {
      const batch: Batch = { from: next, seeds: Math.min(BATCH, from + seeds - next) };
      next += batch.seeds;
      for (const played of await playBatch(worker, batch)) add(played);
    }
    worker.disconnect();
  }

  function add({ seed, broken, known, counts, virtualMs }: Played): void {
    totals.virtualMs += virtualMs;
    for (const [what, times] of counts) totals.counts.set(what, (totals.counts.get(what) ?? 0) + times);
    for (const why of new Set(known.map((line) => knownOf(line)?.why ?? line)))
      totals.known.set(why, [...(totals.known.get(why) ?? []), seed]);
    if (broken.length === 0) return;
    totals.failed += 1;
    failure(seed, broken);
  }
}

function startWorker(): ChildProcess {
  return fork(fileURLToPath(new URL("./worker.ts", import.meta.url)));
}

function playBatch(worker: ChildProcess, batch: Batch): Promise<readonly Played[]> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void =>
      reject(new Error(`a worker ended with ${code} in ${JSON.stringify(batch)}`));
    worker.once("exit", died);
    worker.once("message", (played: readonly Played[]) => {
      worker.off("exit", died);
      resolve(played);
    });
    worker.send(batch);
  });
}
