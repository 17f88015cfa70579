/** A live migration that hangs on a stalled resync, with nobody who heals that: how long one command takes to end it well. */
import { troubleNamed } from "../../lab/index.js";
import { newestRun, type } from "../../lab/proofs/command.js";
import type { ToldRow, ToldRun } from "../../lab/vigie/ask.js";
import { installVigie } from "../../lab/vigie/install.js";
import { calm, incidentSince, type Stage } from "./stage.js";

const RUNBOOK = "recover-stuck-migration";

export interface MigrationTimes {
  readonly recoveredS: number; // from the resync's last progress to the run's end: the guest runs, its disks are redundant
  readonly overheadS: number; // of it, what neither Ganeti, nor a resync, nor one of DRBD's timers took
}

export async function migrationTimes(stage: Stage, note: (text: string) => void): Promise<MigrationTimes> {
  await installVigie(stage.lab, { afresh: true, orchestratorToml: '[policy]\nstalled_sync = "observe"\n' });
  await calm(stage);
  try {
    await troubleNamed("stuck-migration").make(stage.lab, {});
    const incident = await incidentSince(stage, "hung-migration", 0, 60);
    const { exitCode, stdout } = await type(stage, `do ${RUNBOOK} web1 --yes`);
    if (exitCode !== 0) throw new Error(stdout);
    const run = await newestRun(stage, RUNBOOK);
    const endedUnixMs = run.events.at(-1)?.unix_ms ?? Number.NaN;
    const overhead = overheadOf(run);
    note(`${RUNBOOK}: ${[...overhead].map(([step, s]) => `${step} ${s.toFixed(1)} s`).join(", ")}`);
    return {
      recoveredS: (endedUnixMs - incident.last_progress_unix_ms) / 1000,
      overheadS: [...overhead.values()].reduce((sum, s) => sum + s, 0),
    };
  } finally {
    await troubleNamed("stuck-migration").mend(stage.lab, {});
    await installVigie(stage.lab, { afresh: true });
    await calm(stage);
  }
}

/** Steps in which DRBD's timers, its resync, or a job of Ganeti's is waited for, and nothing else. */
const NOT_VIGIES =
  /^(?:await-link-down|await-resync-moves|await-redundant|await-job|cleanup-migration|migrate-again)\b/;

/** Seconds from the row before to each row, by the step it is of; "run" for what is of none. */
function overheadOf({ events }: ToldRun): Map<string, number> {
  const spent = new Map<string, number>();
  let beforeMs = events.find(({ kind }) => kind === "approved")?.unix_ms ?? Number.NaN;
  for (const row of events.filter(({ unix_ms: unixMs }) => unixMs >= beforeMs)) {
    const of = row.step_id === "" ? "run" : row.step_id;
    const seconds = (row.unix_ms - beforeMs - ganetiMs(row)) / 1000;
    if (!NOT_VIGIES.test(of)) spent.set(of, (spent.get(of) ?? 0) + seconds);
    beforeMs = row.unix_ms;
  }
  return spent;
}

/** What the agent waited for gnt-* commands: `gnt-cluster watcher pause` alone takes seconds to start. */
function ganetiMs({ result }: ToldRow): number {
  const ganeti = (result?.commands ?? []).filter(({ argv }) => /\/gnt-/.test(argv[0] ?? ""));
  return ganeti.reduce((sum, { duration_ms: durationMs }) => sum + durationMs, 0);
}
