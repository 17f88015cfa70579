/** Instances go back to where the cluster is even. hbal submits the jobs itself, each with our reason. */
import { explain, type Rebalance } from "@vigie/proto";
import { allJobs, isOver, queueIsDrained } from "../ganeti-queue.js";
import { fact, unknownFact } from "../guards/fact.js";
import { jobReason } from "../job-reason.js";
import { MASTER, type ActionDefinition, type Look, type Verdict } from "./action.js";
import { hbal } from "./ganeti-commands.js";

export const rebalance: ActionDefinition<Rebalance> = {
  name: "rebalance",
  about: () => MASTER,
  check: () => undefined,
  locks: () => ["the cluster's balance"],
  factsMaxAgeMs: 12_000, // LUXI's answer
  guard: async (_params, look) => {
    const drained = await queueIsDrained(look.host).catch((error: unknown) => explain(error));
    if (typeof drained === "string") return [unknownFact("Ganeti's queue", drained)];
    return [
      fact("Ganeti's queue", drained ? "drained: it takes no new jobs" : "takes jobs", !drained, "I31"),
    ];
  },
  holds: () => Promise.resolve<false>(false), // only hbal knows; on an even cluster it does nothing
  identity: () => Promise.resolve([]),
  steps: (_params, { runId, stepId }) => [{ run: hbal(jobReason(runId, stepId)), actsByItself: true }],
  verify: (_params, look) => ofItsJobs(look),
};

/** hbal stops at the first job that fails, and then exits as if all were well in some releases (F5). */
async function ofItsJobs(look: Look): Promise<Verdict> {
  const reason = jobReason(look.asker.runId, look.asker.stepId);
  const jobs = (await allJobs(look.host)).filter(({ reasons }) => reasons.includes(reason));
  const open = jobs.filter((job) => !isOver(job));
  const failed = jobs.filter(({ status }) => status === "error" || status === "canceled");
  const ids = (list: typeof jobs): string => list.map(({ id }) => id).join(", ");
  if (open.length > 0) return { done: "unknown", message: `jobs that have not ended: ${ids(open)}` };
  if (failed.length > 0) return { done: false, message: `jobs that failed: ${ids(failed)}` };
  return { done: true, message: jobs.length === 0 ? "nothing to move" : `${jobs.length} jobs ended well` };
}
