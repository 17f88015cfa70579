/** End the process of a migration that hangs: only of the one job that was named, and only while it is that (I5). */
import { explain, type KillMigrationJob } from "@vigie/proto";
import { checkHostName, checkWhole } from "../argument-types.js";
import { isOver, jobWithId } from "../ganeti-queue.js";
import { fact } from "../guards/fact.js";
import { judgeKill } from "../guards/kill-migration-job.js";
import { MASTER, type ActionDefinition, type Look, type Verdict } from "./action.js";
import { killJob } from "./ganeti-commands.js";

// luxid looks for jobs whose process died every 23 s (luxidDeathDetectionInterval), and only then says so.
const LOOK_EVERY_MS = 2_000;
const LOOKS = 20;
const JOB_ID_MAX = 2 ** 48; // Ganeti counts up from 1 and never again from there

export const killMigrationJob: ActionDefinition<KillMigrationJob> = {
  name: "killMigrationJob",
  about: () => MASTER,
  check: ({ jobId, instance }) => {
    checkWhole(jobId, 1, JOB_ID_MAX, "job id");
    checkHostName(instance, "instance");
  },
  locks: ({ instance, jobId }) => [`instance ${instance}`, `job ${jobId}`],
  factsMaxAgeMs: 12_000, // LUXI's answer; a job id is never another job's
  guard: async (params, look) => {
    try {
      return judgeKill(params, await jobWithId(look.host, params.jobId));
    } catch (error) {
      return [fact(`job ${params.jobId}`, explain(error), false, "I11")];
    }
  },
  holds: async (params, look) => {
    const job = await jobWithId(look.host, params.jobId);
    if (job === undefined) return { message: `Ganeti has no job ${params.jobId} any more` };
    return isOver(job) && { message: `job ${job.id} has ended: ${job.status}` };
  },
  steps: ({ jobId }) => [{ run: killJob(jobId) }],
  verify: async ({ jobId }, look) => {
    let verdict = await hasEnded(jobId, look);
    for (let looks = 1; verdict.done === false && looks < LOOKS; looks += 1) {
      await look.host.sleep(LOOK_EVERY_MS);
      verdict = await hasEnded(jobId, look);
    }
    return verdict;
  },
};

async function hasEnded(jobId: number, look: Look): Promise<Verdict> {
  const job = await jobWithId(look.host, jobId);
  const status = job?.status ?? "gone";
  const done = job === undefined || isOver(job) || status === "canceling";
  return { done, message: `job ${jobId} is ${status}` };
}
