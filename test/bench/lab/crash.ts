/** An orchestrator that is killed in the middle of a heal: how soon after its start its runs are back at work. */
import { troubleNamed } from "../../lab/index.js";
import type { ToldRow } from "../../lab/vigie/ask.js";
import { calm, incidentSince, type Stage } from "./stage.js";

const UNIT = "vigie-orchestrator";

export async function runsBackAfter(stage: Stage, note: (text: string) => void): Promise<number> {
  const { lab, vigie } = stage;
  const begunUnixMs = Date.now();
  try {
    await troubleNamed("stalled-sync").make(lab, {});
    const incident = await incidentSince(stage, "stalled-sync", begunUnixMs - 5_000, 60);
    const row = async (fits: (row: ToldRow) => boolean): Promise<ToldRow | undefined> => {
      const runId = (await vigie.incidents()).find(({ id }) => id === incident.id)?.run_id ?? "";
      return runId === "" ? undefined : (await vigie.run(runId)).events.find(fits);
    };
    const cut = (told: ToldRow): boolean => told.step_id === "cut-link" && told.kind === "step-result";
    await vigie.until("the cut is made", () => row(cut), 60);
    await lab.node("h1").run(`systemctl kill --signal=KILL ${UNIT}`);
    const back = await vigie.until("the run is taken up", () => row(({ kind }) => kind === "recovered"), 60);
    const seconds = (back.unix_ms - (await startedUnixMs(stage))) / 1000;
    note(`the killed orchestrator's run was back ${seconds.toFixed(1)} s after its process began`);
    return seconds;
  } finally {
    await troubleNamed("stalled-sync").mend(lab, {});
    await calm(stage);
  }
}

/** By the master's clock, when systemd started the process that runs now. */
async function startedUnixMs({ lab }: Stage): Promise<number> {
  const script = `
monotonic=$(systemctl show -p ExecMainStartTimestampMonotonic --value ${UNIT})
awk -v now="$(date +%s%3N)" -v began="$monotonic" '{ printf "%.0f\\n", now - $1 * 1000 + began / 1000 }' /proc/uptime`;
  return Number((await lab.node("h1").script(script)).stdout);
}
