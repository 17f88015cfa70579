/** Conditions that Ganeti answers: its jobs, its queue, its watcher, its nodes' flags. The master's agent asks it. */
import {
  NodeChangeKind,
  Source,
  type GanetiFacts,
  type GanetiJob,
  type GanetiJobFacts,
  type JobOver,
  type JobQueued,
  type JobStill,
  type JobSucceeded,
  type NodeEmpty,
  type NodeFlagged,
  type NodeReports,
  type QueueFree,
  type RunEvent,
  type WatcherPaused,
} from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { jobIdOf } from "../run-log.js";
import { never, NOT_YET, notYet, seen, type Ask, type ConditionDefinition } from "./condition.js";

const OVER: ReadonlySet<string> = new Set(["success", "error", "canceled", "lost"]);
const PAUSE_LEFT_MS = 60_000; // a pause that ends in the middle of a step is none (I31)
const ARRIVED_MS = 5_000; // a node that has just come back reports for as long before it counts

export const jobSucceeded: ConditionDefinition<JobSucceeded> = {
  asks: (params, view, { events }) => askJob(view, jobOf(params, events())),
  watch:
    (params, { events, sinceMs }) =>
    (view) => {
      const id = jobOf(params, events());
      if (id === 0) return never("Ganeti gave no job id");
      const job = freshJob(view, id, sinceMs);
      if (job === undefined) return NOT_YET;
      if (job.status === "success" && job.opcodes.every(({ status }) => status === "success"))
        return seen(`job ${id} ended with success`);
      if (OVER.has(job.status)) return never(failure(job));
      return notYet(`job ${id} is ${job.status}${lastLine(job)}`);
    },
};

/** One of this run's steps, or one that was there before. */
function jobOf({ stepId, jobId }: JobSucceeded, events: readonly RunEvent[]): number {
  return stepId === "" ? jobId : jobIdOf(events, stepId);
}

export const jobOver: ConditionDefinition<JobOver> = {
  asks: ({ jobId }, view) => askJob(view, jobId),
  watch:
    ({ jobId }, { sinceMs }) =>
    (view) => {
      const job = freshJob(view, jobId, sinceMs);
      if (job === undefined) return NOT_YET;
      if (OVER.has(job.status)) return seen(`job ${jobId} is over: ${job.status}`);
      return notYet(`job ${jobId} is ${job.status}${lastLine(job)}`);
    },
};

export const jobQueued: ConditionDefinition<JobQueued> = {
  asks: ({ stepId }, view, { events }) => askJob(view, jobIdOf(events(), stepId)),
  watch:
    ({ stepId }, { events, sinceMs }) =>
    (view) => {
      const id = jobIdOf(events(), stepId);
      if (id === 0) return never("Ganeti gave no job id");
      const job = freshJob(view, id, sinceMs);
      if (job === undefined) return NOT_YET;
      return job.status === "lost" ? never(`Ganeti knows no job ${id}`) : seen(`job ${id} is ${job.status}`);
    },
};

/**
 * While a migration waits for its disks it writes a line every two seconds (Ganeti, lib/cmdlib/instance_migration.py,
 * _WaitUntilSync). In its other phases it may write nothing for minutes, while qemu starts or memory is copied.
 */
const SILENT_PHASE_MS = 240_000;
const WAITS_FOR_DISKS = /wait until resync is done|^\s*- progress:/;

export const jobStill: ConditionDefinition<JobStill> = {
  asks: ({ jobId }, view) => askJob(view, jobId),
  watch: ({ jobId, forMs, anyPhase }, { sinceMs, clock }) => {
    let last: { readonly serial: number; readonly atMs: number } | undefined;
    return (view) => {
      const job = freshJob(view, jobId, sinceMs);
      if (job === undefined) return NOT_YET;
      if (OVER.has(job.status)) return never(`job ${jobId} is over: ${job.status}`);
      const serial = job.log.at(-1)?.serial ?? 0;
      if (last?.serial !== serial) last = { serial, atMs: clock.monotonicMs() };
      const stillMs = clock.monotonicMs() - last.atMs;
      const words = `job ${jobId} is ${job.status}, and wrote nothing for ${Math.floor(stillMs / 1000)} s`;
      const phase = job.log.at(-1)?.text.trim() ?? "";
      const silentMs = anyPhase || WAITS_FOR_DISKS.test(phase) ? forMs : Math.max(forMs, SILENT_PHASE_MS);
      return stillMs >= silentMs ? seen(words) : notYet(`${words}: ${phase || "its log is empty"}`);
    };
  },
};

export const queueFree: ConditionDefinition<QueueFree> = {
  asks: (_params, view) => askGaneti(view),
  watch:
    ({ instances, nodes }, { sinceMs, runId }) =>
    (view) => {
      const facts = freshGaneti(view, sinceMs);
      if (facts === undefined) return NOT_YET;
      if (facts.queueDrained)
        return notYet("Ganeti's queue is drained: no job is taken (gnt-cluster queue undrain)");
      const inTheWay = facts.jobs.find(
        (job) => !job.reason.includes(runId) && concerns(view, job, instances, nodes),
      );
      if (inTheWay === undefined) return seen("Ganeti's queue is free");
      return notYet(`job ${inTheWay.id} is in the way: ${inTheWay.summary}, ${inTheWay.status}`);
    },
};

export const watcherPaused: ConditionDefinition<WatcherPaused> = {
  asks: (_params, view) => askGaneti(view),
  watch:
    ({ paused }, { sinceMs, clock }) =>
    (view) => {
      const facts = freshGaneti(view, sinceMs);
      if (facts === undefined) return NOT_YET;
      const leftMs = facts.watcherPausedUntilUnixS * 1000 - clock.wallUnixMs();
      if (leftMs > 0 && leftMs < PAUSE_LEFT_MS && paused)
        return notYet(`its pause ends in ${Math.round(leftMs / 1000)} s`);
      const is = leftMs > 0;
      if (is !== paused) return NOT_YET;
      return seen(paused ? "Ganeti's watcher is paused" : "Ganeti's watcher is not paused");
    },
};

export const nodeFlagged: ConditionDefinition<NodeFlagged> = {
  asks: (_params, view) => askGaneti(view),
  watch:
    ({ node: name, change }, { sinceMs }) =>
    (view) => {
      const node = freshGaneti(view, sinceMs)?.nodes.find((n) => n.name === name);
      if (node === undefined) return NOT_YET;
      const is = isFlagged(node, change);
      const words = `${name} is ${node.offline ? "offline" : "online"}, ${node.drained ? "drained" : "not drained"}`;
      return is ? seen(words) : notYet(words);
    },
};

function isFlagged(
  node: { readonly offline: boolean; readonly drained: boolean },
  change: NodeChangeKind,
): boolean {
  switch (change) {
    case NodeChangeKind.OFFLINE:
      return node.offline;
    case NodeChangeKind.ONLINE:
      return !node.offline;
    case NodeChangeKind.DRAIN:
      return node.drained;
    case NodeChangeKind.UNDRAIN:
      return !node.drained && !node.offline;
    case NodeChangeKind.UNSPECIFIED:
    case NodeChangeKind.UNRECOGNIZED:
      return false;
  }
}

export const nodeEmpty: ConditionDefinition<NodeEmpty> = {
  asks: (_params, view) => askGaneti(view),
  watch:
    ({ node, ofPrimaries }, { sinceMs }) =>
    (view) => {
      const facts = freshGaneti(view, sinceMs);
      if (facts === undefined) return NOT_YET;
      const left = facts.instances.filter(
        (i) => i.primaryNode === node || (!ofPrimaries && i.secondaryNodes.includes(node)),
      );
      if (left.length === 0) return seen(`no instance ${ofPrimaries ? "has its primary" : "is"} on ${node}`);
      return notYet(
        `${left.length} instances left on ${node}: ${left
          .slice(0, 3)
          .map((i) => i.name)
          .join(", ")}`,
      );
    },
};

export const nodeReports: ConditionDefinition<NodeReports> = {
  asks: () => [],
  watch: ({ node: name }, { clock }) => {
    let sinceMs: number | undefined;
    return (view) => {
      const node = view.nodes.get(name);
      const reports = node?.connected === true && clock.monotonicMs() - node.reportedAtMs < ARRIVED_MS;
      sinceMs = reports ? (sinceMs ?? clock.monotonicMs()) : undefined;
      if (sinceMs === undefined) return notYet(`${name} does not report`);
      return clock.monotonicMs() - sinceMs >= ARRIVED_MS ? seen(`the agent of ${name} reports`) : NOT_YET;
    };
  },
};

/** The node that Ganeti is asked on. */
export function masterOf(view: ClusterView): string {
  return view.ssconf?.masterNode ?? view.ownNode;
}

export function askGaneti(view: ClusterView): Ask[] {
  return [{ node: masterOf(view), source: Source.GANETI }];
}

/** Ganeti's word, read after `sinceMs`. */
export function freshGaneti(view: ClusterView, sinceMs: number): GanetiFacts | undefined {
  const source = view.nodes.get(masterOf(view))?.sources.get(Source.GANETI);
  if (source === undefined || source.readAtMs < sinceMs) return undefined;
  return source.report.facts?.$case === "ganeti" ? source.report.facts.value : undefined;
}

function askJob(view: ClusterView, jobId: number): Ask[] {
  return jobId === 0 ? [] : [{ node: masterOf(view), source: Source.GANETI_JOB, about: { jobId } }];
}

function freshJob(view: ClusterView, jobId: number, sinceMs: number): GanetiJobFacts | undefined {
  const answered = view.nodes.get(masterOf(view))?.jobs.get(jobId);
  return answered !== undefined && answered.readAtMs >= sinceMs ? answered.value : undefined;
}

/** What its opcodes say: a job's own status can be success where one of them was not (I30). */
function failure(job: GanetiJobFacts): string {
  const errors = job.opcodes.filter(({ status }) => status !== "success");
  const why = errors.map(({ summary, status, error }) => `${summary}: ${error === "" ? status : error}`);
  return `job ${job.id} ended: ${job.status}; ${why.join("; ")}`;
}

function lastLine(job: GanetiJobFacts): string {
  const text = job.log.at(-1)?.text.trim().split("\n").at(-1) ?? "";
  return text === "" ? "" : `: ${text}`;
}

/**
 * Names are whole words in a summary: "NODE_MODIFY(h1.example)". What is about nodes as a whole waits for the jobs of all
 * instances there; what is about instances does not, for Ganeti's own locks keep theirs apart.
 */
function concerns(
  view: ClusterView,
  job: GanetiJob,
  instances: readonly string[],
  nodes: readonly string[],
): boolean {
  if (job.instances.some((name) => instances.includes(name))) return true;
  const worksOn = job.instances.flatMap((name) => {
    const instance = view.instances.get(name);
    return instance === undefined ? [] : [instance.primaryNode, ...instance.secondaryNodes];
  });
  if (instances.length === 0 && worksOn.some((node) => nodes.includes(node))) return true;
  const named = [...job.summary.matchAll(/\(([^)]*)\)/g)].map(([, name]) => name);
  return [...instances, ...nodes].some((name) => named.includes(name));
}
