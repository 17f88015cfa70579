/** Which of Ganeti's unfinished jobs are about an instance. */
import type { GanetiJob } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";

/** The migration that runs; not one that waits for its locks. */
export function runningMigration(view: ClusterView, instance: string): GanetiJob | undefined {
  return jobsOf(view, instance).find((job) => job.status === "running" && isMigration(job));
}

export function isMigration(job: GanetiJob): boolean {
  return /\bINSTANCE_MIGRATE\b/.test(job.summary);
}

export function jobsOf(view: ClusterView, instance: string): GanetiJob[] {
  return (view.inventory?.jobs ?? []).filter((job) => job.instances.includes(instance));
}
