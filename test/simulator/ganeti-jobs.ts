/**
 * Ganeti's queue: jobs wait for their locks, run in virtual time, write their logs, and stay when they are over. What
 * each does to the world is in job-*.ts.
 */
import { explain } from "@vigie/proto";
import { isOpen, type JobModel } from "./ganeti-model.js";
import type { World } from "./world.js";

const FIRST_JOB = 41;
const TURN_MS = 200;

export interface JobSpec extends Pick<JobModel, "opcode" | "subject" | "instances" | "locks" | "reasons"> {
  readonly work: (work: JobWork) => Promise<void>;
}

/** What a job has while it runs. */
export interface JobWork {
  readonly world: World;
  readonly reasons: readonly string[];
  readonly log: (text: string) => void;
  /** Rejects once the job was killed. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** The job's own words for why it fails. */
export class JobFailed extends Error {}

export function submit(world: World, { work, ...of }: JobSpec): JobModel {
  const { jobs } = world.ganeti;
  const job: JobModel = {
    ...of,
    id: (jobs.at(-1)?.id ?? FIRST_JOB - 1) + 1,
    receivedUnixMs: world.clock.wallUnixMs(),
    startedUnixMs: 0,
    status: "queued",
    error: "",
    log: [],
  };
  jobs.push(job);
  world.queues(job);
  void live(world, job, work);
  return job;
}

async function live(world: World, job: JobModel, work: JobSpec["work"]): Promise<void> {
  const { clock, ganeti } = world;
  const sleep = async (ms: number): Promise<void> => {
    await clock.sleep(ms);
    while (ganeti.frozen(job) && isOpen(job)) await clock.sleep(TURN_MS);
    if (!isOpen(job)) throw new JobFailed("killed");
  };
  try {
    await sleep(TURN_MS);
    job.status = "waiting";
    while (inTheWay(world, job)) await sleep(TURN_MS);
    job.status = "running";
    job.startedUnixMs = clock.wallUnixMs();
    await sleep(TURN_MS);
    const why = ganeti.failing(job);
    if (why !== undefined) throw new JobFailed(why);
    await work({
      world,
      reasons: job.reasons,
      sleep,
      log: (text) => void job.log.push({ unixMs: clock.wallUnixMs(), text }),
    });
    job.status = "success";
  } catch (error) {
    if (!isOpen(job)) return;
    job.status = "error";
    job.error = error instanceof JobFailed ? error.message : explain(error);
  }
}

/** An older job that is not over and holds, or waits for, one of its locks. */
function inTheWay({ ganeti }: World, job: JobModel): boolean {
  return ganeti.jobs.some(
    (other) => other.id < job.id && isOpen(other) && other.locks.some((lock) => job.locks.includes(lock)),
  );
}

/** `gnt-job cancel --kill`: its process ends where it is, and what it did so far stays. */
export function kill(job: JobModel): void {
  if (!isOpen(job)) return;
  job.status = "error";
  job.error = "Job process terminated by SIGKILL";
}

export async function ended(world: World, job: JobModel): Promise<void> {
  while (isOpen(job)) await world.clock.sleep(TURN_MS);
}
