/** End the process of a migration that hangs: only of the one job that was named, and only while it is that (I5). */
import { explain, type KillMigrationJob } from "@vigie/proto";
import { checkHostName, checkWhole } from "../argument-types.js";
import { jobWithId } from "../ganeti-queue.js";
import { unknownFact } from "../guards/fact.js";
import { judgeKill } from "../guards/end-migration.js";
import { MASTER, type ActionDefinition } from "./action.js";
import { killJob } from "./ganeti-commands.js";
import { awaitJobEnd, identityOfJob, JOB_ID_MAX, jobIsOver } from "./job-end.js";

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
      return [unknownFact(`job ${params.jobId}`, explain(error))];
    }
  },
  holds: ({ jobId }, look) => jobIsOver(jobId, look),
  identity: (params, look) => identityOfJob(params, look),
  steps: ({ jobId }) => [{ run: killJob(jobId) }],
  verify: ({ jobId }, look) => awaitJobEnd(jobId, look),
};
