/** May this job be ended? Only a migration of the instance that was named, and only while it is at work (I5). */
import type { GuardFact, KillMigrationJob, RestartGaneti } from "@vigie/proto";
import type { QueuedJob } from "../ganeti-queue.js";
import { fact } from "./fact.js";

type Job = Pick<QueuedJob, "id" | "status" | "summary">;

/** @param job by LUXI, now; undefined: Ganeti knows none of this id */
export function judgeKill(
  { jobId, instance }: KillMigrationJob,
  job: Omit<Job, "id"> | undefined,
): GuardFact[] {
  if (job === undefined) return [fact(`job ${jobId}`, "not known to Ganeti", false, "I11")];
  const { status, summary } = job;
  return [
    fact(`job ${jobId}`, status, status === "running" || status === "waiting", ""),
    workFact(summary, instance),
  ];
}

/** @param summary of the job: "INSTANCE_MIGRATE(web1.example)" */
export function workFact(summary: string, instance: string): GuardFact {
  return fact("its work", summary, summary === `INSTANCE_MIGRATE(${instance})`, "I5");
}

/**
 * @param open all jobs that are not over, by LUXI, now
 * @param release of Ganeti, by this node's ssconf: "2.12.6"
 */
export function judgeRestart(params: RestartGaneti, open: readonly Job[], release: string): GuardFact[] {
  const others = open.filter(({ id }) => id !== params.jobId);
  return [
    ...judgeKill(
      params,
      open.find(({ id }) => id === params.jobId),
    ),
    fact(
      "other jobs, which would end too",
      others.map(({ id, summary }) => `${id} ${summary}`).join(", ") || "none",
      others.length === 0,
      "I31",
    ),
    fact(
      "Ganeti",
      release === ""
        ? "of an unknown version"
        : `${release}${jobsOutliveDaemons(release) ? ", whose jobs outlive its daemons" : ""}`,
      release !== "" && !jobsOutliveDaemons(release),
      "",
    ),
  ];
}

/** Since 2.12 each job is a process of its own; since 2.13 it can be killed. Source: ganeti NEWS. */
function jobsOutliveDaemons(release: string): boolean {
  const [, major = "", minor = ""] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return major === "" || Number(major) > 2 || Number(minor) >= 12;
}
