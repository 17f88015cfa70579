/**
 * End a migration that hangs where Ganeti cannot kill a job (before 2.13), as the wiki does it: its daemons start
 * again. That ends every job there, so it is done only while this one is alone in the queue (I31).
 */
import { explain, type RestartGaneti } from "@vigie/proto";
import { checkHostName, checkWhole } from "../argument-types.js";
import { allJobs, isOver } from "../ganeti-queue.js";
import { unknownFact } from "../guards/fact.js";
import { judgeRestart } from "../guards/end-migration.js";
import { MASTER, type ActionDefinition } from "./action.js";
import { restartDaemons } from "./ganeti-commands.js";
import { awaitJobEnd, identityOfJob, JOB_ID_MAX, jobIsOver } from "./job-end.js";

const RELEASE = "/var/lib/ganeti/ssconf_release_version";

export const restartGaneti: ActionDefinition<RestartGaneti> = {
  name: "restartGaneti",
  about: () => MASTER,
  check: ({ jobId, instance }) => {
    checkWhole(jobId, 1, JOB_ID_MAX, "job id");
    checkHostName(instance, "instance");
  },
  locks: ({ instance, jobId }) => [`instance ${instance}`, `job ${jobId}`, "Ganeti's daemons"],
  factsMaxAgeMs: 12_000, // LUXI's answer
  guard: async (params, { host }) => {
    try {
      const open = (await allJobs(host)).filter((job) => !isOver(job));
      return judgeRestart(params, open, (await host.readFile(RELEASE)).trim());
    } catch (error) {
      return [unknownFact("Ganeti's queue", explain(error))];
    }
  },
  holds: ({ jobId }, look) => jobIsOver(jobId, look),
  identity: (params, look) => identityOfJob(params, look),
  steps: () => [{ run: restartDaemons() }],
  verify: ({ jobId }, look) => awaitJobEnd(jobId, look, false), // answered by the daemons that started
};
