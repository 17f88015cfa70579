/** A resync that loses its bulk data and stands still: how soon it is told, and how soon it moves again, by itself. */
import { troubleNamed, type DiskSide } from "../../lab/index.js";
import type { ToldIncident, ToldRow, ToldRun } from "../../lab/vigie/ask.js";
import { watchProgress, type Move } from "./progress-watch.js";
import { calm, incidentSince, masterTime, type Stage } from "./stage.js";

const HEAL_WITHIN_S = 120;

export interface StallTimes {
  readonly flaggedS: number;
  readonly healedS: number;
}

export async function stallTimes(stage: Stage, note: (text: string) => void): Promise<StallTimes> {
  const begunUnixMs = Date.now();
  const ends = await Promise.all(
    [stage.disk.primary, stage.disk.secondary].map((side) => watchEnd(stage, side)),
  );
  try {
    await troubleNamed("stalled-sync").make(stage.lab, {});
    const incident = await incidentSince(stage, "stalled-sync", begunUnixMs - 5_000, 60);
    const run = await healed(stage, incident);
    const moves = (await Promise.all(ends.map((end) => end()))).flat();
    const before = moves.filter(({ unixMs }) => unixMs < incident.opened_unix_ms);
    const lastUnixMs = latest(before);
    const since = (unixMs: number): number => (unixMs - lastUnixMs) / 1000;
    const rows = run.events.filter(({ kind }) => kind === "step-verified");
    const lastKib = since(latest(before.filter(({ kibMoved }) => kibMoved)));
    const steps = rows.map((row) => `${row.step_id} ${since(row.unix_ms).toFixed(1)} s`);
    note(`after the last progress: ${steps.join(", ")}; the last KiB had moved at ${lastKib.toFixed(1)} s`);
    return { flaggedS: since(incident.opened_unix_ms), healedS: since(healedUnixMs(rows)) };
  } finally {
    await troubleNamed("stalled-sync").mend(stage.lab, {});
    await calm(stage);
  }
}

/** @returns how to end the watch, and the moves by the master's clock */
async function watchEnd(stage: Stage, side: DiskSide): Promise<() => Promise<readonly Move[]>> {
  const node = stage.lab.node(side.node);
  const toMaster = await masterTime(stage, node);
  const watch = await watchProgress(node, side.minor);
  return async () => (await watch.end()).map((move) => ({ ...move, unixMs: toMaster(move.unixMs) }));
}

function latest(moves: readonly Move[]): number {
  return Math.max(...moves.map(({ unixMs }) => unixMs));
}

async function healed({ vigie }: Stage, { id }: ToldIncident): Promise<ToldRun> {
  const ended = async (): Promise<ToldRun | undefined> => {
    const runId = (await vigie.incidents()).find((incident) => incident.id === id)?.run_id ?? "";
    const run = runId === "" ? undefined : await vigie.run(runId);
    return run !== undefined && ["succeeded", "failed", "frozen"].includes(run.state) ? run : undefined;
  };
  const run = await vigie.until(`the run of ${id} ended`, ended, HEAL_WITHIN_S);
  if (run.state === "succeeded") return run;
  throw new Error(`the run of ${id} ${run.state}: ${JSON.stringify(run.events.at(-1))}`);
}

/** The cut is removed, and the resync progresses: both seen. */
function healedUnixMs(verified: readonly ToldRow[]): number {
  const seen = ["restore-link", "await-resync-moves"].map(
    (step) => verified.find(({ step_id }) => step_id === step)?.unix_ms ?? Number.NaN,
  );
  return Math.max(...seen);
}
