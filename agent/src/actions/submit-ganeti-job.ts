/**
 * Put one job into Ganeti's queue, once. It is found again by its reason, so that a crash or a killed command never
 * makes two of it (I30). What becomes of the job is watched by SOURCE_GANETI_JOB.
 */
import {
  NodeChangeKind,
  ReplaceMode,
  VigieError,
  explain,
  type GuardFact,
  type SubmitGanetiJob,
} from "@vigie/proto";
import { checkDevicePath, checkHostName, must } from "../argument-types.js";
import {
  allJobs,
  jobWithId,
  openJobs,
  placeOf,
  queueIsDrained,
  type Place,
  type QueuedJob,
} from "../ganeti-queue.js";
import { fact, unknownFact } from "../guards/fact.js";
import { jobReason } from "../job-reason.js";
import { MASTER, type ActionDefinition, type Look, type Verdict } from "./action.js";
import { submitCommand, type GanetiJobKind } from "./ganeti-commands.js";

export const submitGanetiJob: ActionDefinition<SubmitGanetiJob> = {
  name: "submitGanetiJob",
  about: () => MASTER,
  check: ({ job }) => {
    if (job === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no job");
    checkJob(job);
  },
  locks: ({ job }) => [job === undefined ? "a Ganeti job" : subjectOf(job)],
  factsMaxAgeMs: 12_000, // LUXI's answers; each may take its time
  guard: async (params, look) => {
    try {
      return await guardFacts(params, look);
    } catch (error) {
      return [unknownFact("Ganeti's queue", explain(error))];
    }
  },
  holds: async (_params, look) => {
    const adopted = lowest(await jobsOfStep(look), (job) => !failed(job));
    return (
      adopted !== undefined && { message: `Ganeti has it already: ${described(adopted)}`, jobId: adopted.id }
    );
  },
  identity: () => Promise.resolve([]), // the reason that it was found by names the step
  steps: ({ job }, { runId, stepId }) =>
    job === undefined ? [] : [{ run: submitCommand(job, jobReason(runId, stepId)) }],
  verify: async (_params, look, ran) => {
    const printed = /^[ \t]*(\d{1,15})[ \t]*$/m.exec(ran.at(-1)?.stdout ?? "")?.[1];
    if (printed === undefined)
      return { done: "unknown", message: "the command ended well and printed no job id" };
    return knownToGaneti(Number(printed), look);
  },
  recover: async (_params, look, sinceUnixMs) => {
    const jobs = await jobsOfStep(look);
    const found = lowest(jobs, (job) => !failed(job) || job.receivedUnixMs >= sinceUnixMs);
    return found && { done: true, message: `found by its reason: ${described(found)}`, jobId: found.id };
  },
};

/** Directly before the command: people and other tools put jobs into the same queue (I15, I31). */
async function guardFacts({ job, place }: SubmitGanetiJob, look: Look): Promise<GuardFact[]> {
  const drained = await queueIsDrained(look.host);
  const facts = [
    fact("Ganeti's queue", drained ? "drained: it takes no new jobs" : "takes jobs", !drained, "I31"),
  ];
  const instance = job !== undefined && "instance" in job.value ? job.value.instance : "";
  if (instance === "") return facts;
  const [other] = (await openJobs(look.host)).filter((each) => names(each, instance) && !isOurs(each, look));
  facts.push({
    ...fact(
      `other jobs of ${instance}`,
      other === undefined ? "none" : described(other),
      other === undefined,
      "I31",
    ),
    late: other !== undefined, // it ends by itself, and then all is looked at again
  });
  if (place === undefined) return facts;
  const is = await placeOf(look.host, instance);
  const [planned, now] = [placeText(place), is === undefined ? "nowhere" : placeText(is)];
  return [...facts, fact(`place of ${instance}`, `${now}, planned ${planned}`, now === planned, "I15")];
}

function names({ summary }: QueuedJob, instance: string): boolean {
  return [...summary.matchAll(/\(([^)]*)\)/g)].some(([, name]) => name === instance);
}

/** Of this run: its steps may put several jobs of one instance into the queue. */
function isOurs({ reasons }: QueuedJob, { asker }: Look): boolean {
  return reasons.some((reason) => reason.startsWith(jobReason(asker.runId, "")));
}

function placeText({ primaryNode, secondaryNodes }: Place): string {
  return [primaryNode, ...[...secondaryNodes].toSorted()].join(" and ");
}

/** The exit code is not believed: Ganeti must know the job, and as ours (F5). */
async function knownToGaneti(jobId: number, look: Look): Promise<Verdict> {
  const reason = reasonOf(look);
  try {
    const job = await jobWithId(look.host, jobId);
    if (job === undefined) return { done: false, message: `Ganeti knows no job ${jobId}`, jobId };
    if (!job.reasons.includes(reason))
      return { done: false, message: `job ${jobId} does not carry the reason ${reason}` };
    return { done: true, message: described(job), jobId };
  } catch (error) {
    return { done: "unknown", message: `job ${jobId} was submitted, and ${explain(error)}`, jobId };
  }
}

async function jobsOfStep(look: Look): Promise<QueuedJob[]> {
  const reason = reasonOf(look);
  return (await allJobs(look.host)).filter(({ reasons }) => reasons.includes(reason));
}

/** The first one: those that it submitted itself carry its reason too. */
function lowest(jobs: readonly QueuedJob[], fits: (job: QueuedJob) => boolean): QueuedJob | undefined {
  return jobs.filter(fits).sort((a, b) => a.id - b.id)[0];
}

function failed({ status }: QueuedJob): boolean {
  return status === "error" || status === "canceled";
}

function reasonOf({ asker }: Look): string {
  return jobReason(asker.runId, asker.stepId);
}

function described({ id, status, summary }: QueuedJob): string {
  return `job ${id} is ${status}: ${summary}`;
}

/** One job at a time about an instance or a node, from this agent (I9). */
function subjectOf({ value }: GanetiJobKind): string {
  return "instance" in value ? `instance ${value.instance}` : `node ${value.node}`;
}

function checkJob(job: GanetiJobKind): void {
  if ("instance" in job.value) checkHostName(job.value.instance, "instance");
  if ("node" in job.value) checkHostName(job.value.node, "node");
  if (job.$case === "setAllocatable") checkDevicePath(job.value.pvName, "physical volume");
  if (job.$case === "modifyNode") must(CHANGES.includes(job.value.change), "change", job.value.change);
  if (job.$case === "replaceDisks") {
    const { mode, newSecondary, disks } = job.value;
    must(MODES.includes(mode), "mode", mode);
    const here = mode === ReplaceMode.ON_PRIMARY || mode === ReplaceMode.ON_SECONDARY;
    must(here === disks.length > 0 && new Set(disks).size === disks.length, "disks", disks.join(","));
    for (const disk of disks) must(disk < DISKS_MAX, "disk", disk);
    if (mode === ReplaceMode.NEW_SECONDARY) checkHostName(newSecondary, "new secondary");
    else must(newSecondary === "", "new secondary", newSecondary);
  }
}

const CHANGES: readonly NodeChangeKind[] = [
  NodeChangeKind.OFFLINE,
  NodeChangeKind.ONLINE,
  NodeChangeKind.DRAIN,
  NodeChangeKind.UNDRAIN,
];

const DISKS_MAX = 16; // Ganeti's MAX_DISKS

const MODES: readonly ReplaceMode[] = [
  ReplaceMode.ON_PRIMARY,
  ReplaceMode.ON_SECONDARY,
  ReplaceMode.NEW_SECONDARY,
  ReplaceMode.ALLOCATOR,
];
