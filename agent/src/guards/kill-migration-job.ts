/** May this job be killed? Only a migration of the instance that was named, and only while it is at work (I5). */
import type { GuardFact, KillMigrationJob } from "@vigie/proto";
import { fact } from "./fact.js";

/** @param job by LUXI, now; undefined: Ganeti knows none of this id */
export function judgeKill(
  { jobId, instance }: KillMigrationJob,
  job: { readonly status: string; readonly summary: string } | undefined,
): GuardFact[] {
  if (job === undefined) return [fact(`job ${jobId}`, "not known to Ganeti", false, "I11")];
  const { status, summary } = job;
  return [
    fact(`job ${jobId}`, status, status === "running" || status === "waiting", ""),
    fact("its work", summary, summary === `INSTANCE_MIGRATE(${instance})`, "I5"),
  ];
}
