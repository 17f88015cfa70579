/** Types `vigie …` on the master as a person does, and times what a run did. */
import type { Ran } from "../host/exec.js";
import type { ToldRun } from "../vigie/ask.js";
import type { Stage } from "./stage.js";

/** Longer than any run of a proof: Ganeti looks after a resync once a minute. */
const TIMEOUT_MS = 700_000;

/** @returns whatever the exit code: 0 it went well, 6 it was refused or not approved, 7 the run failed or froze */
export async function type({ lab }: Stage, words: string): Promise<Ran> {
  return lab.node("h1").run(`vigie ${words} 2>&1`, { timeoutMs: TIMEOUT_MS, allowFailure: true });
}

/** Types it until it prints this: what was just done in the world is in nobody's reading yet. @returns what it printed */
export async function typeUntil(stage: Stage, words: string, printed: RegExp, seconds: number): Promise<Ran> {
  return stage.vigie.until(
    `vigie ${words} prints ${printed.source}`,
    async () => {
      const ran = await type(stage, words);
      if (printed.test(ran.stdout)) return ran;
      throw new Error(ran.stdout);
    },
    seconds,
  );
}

/** Begins a run that is refused while not every node and Ganeti have reported what was just done: then it is tried again. */
export async function beginRun(stage: Stage, words: string): Promise<void> {
  await stage.vigie.until(
    "the run begins",
    async () => {
      const { exitCode, stdout } = await type(stage, `${words} --no-follow`);
      if (exitCode === 0) return true;
      throw new Error(stdout);
    },
    60,
  );
}

/** The newest run of a runbook, whole. */
export async function newestRun(stage: Stage, runbook: string): Promise<ToldRun> {
  const { stdout } = await type(stage, "runs --no-color");
  const line = stdout.split("\n").find((each) => each.split(/ {2,}/)[2]?.trim() === runbook);
  if (line === undefined) throw new Error(`no run of ${runbook}: ${stdout}`);
  return stage.vigie.run(line.split(" ")[0] ?? "");
}

/** "readd-node 38.1 s, set-online 0.2 s": from each step's first row to its last. */
export function stepTimes({ events }: ToldRun): string {
  const ids = [...new Set(events.map((row) => row.step_id))].filter((id) => id !== "");
  const seconds = (id: string): string => {
    const times = events.filter((row) => row.step_id === id).map((row) => row.unix_ms);
    const before = events.findLast((row) => row.step_id !== id && row.unix_ms <= Math.min(...times));
    return ((Math.max(...times) - (before?.unix_ms ?? Math.min(...times))) / 1000).toFixed(1);
  };
  return ids.map((id) => `${id} ${seconds(id)} s`).join(", ");
}
