/** Has this job of Ganeti's ended? What the two actions that end a migration look for. */
import type { GuardFact, KillMigrationJob } from "@vigie/proto";
import { workFact } from "../guards/end-migration.js";
import { isOver, jobWithId } from "../ganeti-queue.js";
import type { AlreadySo, Look, Verdict } from "./action.js";

// luxid looks for jobs whose process died every 23 s (luxidDeathDetectionInterval), and only then says so.
const LOOK_EVERY_MS = 2_000;
const LOOKS = 20;

export const JOB_ID_MAX = 2 ** 48; // Ganeti counts up from 1 and never again from there

/** @throws VigieError SOURCE_FAILED, PARSE_FAILED */
export async function jobIsOver(jobId: number, look: Look): Promise<AlreadySo | false> {
  const job = await jobWithId(look.host, jobId);
  if (job === undefined) return { message: `Ganeti has no job ${jobId} any more` };
  return isOver(job) && { message: `job ${job.id} has ended: ${job.status}` };
}

/** That the job which is over was the migration that was named. What Ganeti has archived can be no other. */
export async function identityOfJob(
  { jobId, instance }: Pick<KillMigrationJob, "jobId" | "instance">,
  look: Look,
): Promise<GuardFact[]> {
  const job = await jobWithId(look.host, jobId);
  return job === undefined ? [] : [workFact(job.summary, instance)];
}

/**
 * Looks until it has.
 * @param answers false: Ganeti may be silent meanwhile, for its daemons start again
 * @throws VigieError SOURCE_FAILED, PARSE_FAILED
 */
export async function awaitJobEnd(jobId: number, look: Look, answers = true): Promise<Verdict> {
  for (let looks = 1; ; looks += 1) {
    const verdict = await hasEnded(jobId, look).catch((error: unknown) => {
      if (answers || looks >= LOOKS) throw error;
      return undefined;
    });
    if (verdict !== undefined && (verdict.done !== false || looks >= LOOKS)) return verdict;
    await look.host.sleep(LOOK_EVERY_MS);
  }
}

async function hasEnded(jobId: number, look: Look): Promise<Verdict> {
  const job = await jobWithId(look.host, jobId);
  const status = job?.status ?? "gone";
  const done = job === undefined || isOver(job) || status === "canceling";
  return { done, message: `job ${jobId} is ${status}` };
}
