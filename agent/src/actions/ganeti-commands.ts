/**
 * The gnt-* command lines, each a pure function. Options precede the names, for gnt-* reads none behind them. No
 * terminal is there, and a question that is not answered by an option is answered with "no". Sources: gnt-instance(8),
 * gnt-node(8), and the options' own tables in ganeti 3.0.2, lib/client.
 */
import {
  NodeChangeKind,
  ReplaceMode,
  VigieError,
  type ModifyNode,
  type ReplaceDisks,
  type SetAllocatable,
  type SubmitGanetiJob,
} from "@vigie/proto";
import type { Command } from "../host.js";

export type GanetiJobKind = NonNullable<SubmitGanetiJob["job"]>;

const SUBMIT_TIMEOUT_MS = 30_000; // for queueing the job; the job itself is followed separately

/**
 * The command that puts this job into the queue; the first line of its stdout is the job's id.
 * @param reason of job-reason.ts
 */
export function submitCommand(job: GanetiJobKind, reason: string): Command {
  switch (job.$case) {
    case "migrateInstance": {
      const cleanup = job.value.cleanup ? ["--cleanup"] : [];
      return submit("gnt-instance", ["migrate", "-f", ...cleanup], reason, [job.value.instance]);
    }
    case "failoverInstance":
      return submit("gnt-instance", ["failover", "-f"], reason, [job.value.instance]);
    case "replaceDisks":
      return submit("gnt-instance", ["replace-disks", ...replaceOptions(job.value)], reason, [
        job.value.instance,
      ]);
    case "activateDisks":
      return submit("gnt-instance", ["activate-disks"], reason, [job.value.instance]);
    case "modifyNode":
      return submit("gnt-node", ["modify", ...changeOptions(job.value)], reason, [job.value.node]);
    case "setAllocatable":
      return submit("gnt-node", ["modify-storage", ...allocatableOptions(job.value)], reason, [
        job.value.node,
        "lvm-pv",
        job.value.pvName,
      ]);
  }
}

function submit(program: string, verb: readonly string[], reason: string, names: readonly string[]): Command {
  return {
    file: `/usr/sbin/${program}`,
    args: [...verb, "--submit", "--print-jobid", `--reason=${reason}`, ...names],
    timeoutMs: SUBMIT_TIMEOUT_MS,
  };
}

/** Never --early-release: the old copy stays until the new one is whole. */
function replaceOptions({ mode, newSecondary, disks }: ReplaceDisks): string[] {
  switch (mode) {
    case ReplaceMode.ON_PRIMARY:
      return ["-p", `--disks=${disks.join(",")}`];
    case ReplaceMode.ON_SECONDARY:
      return ["-s", `--disks=${disks.join(",")}`];
    case ReplaceMode.NEW_SECONDARY:
      return ["-n", newSecondary];
    case ReplaceMode.ALLOCATOR:
      return ["-I", "hail"];
    case ReplaceMode.AUTO:
    case ReplaceMode.UNSPECIFIED:
    case ReplaceMode.UNRECOGNIZED:
      throw new VigieError("INVALID_ARGUMENT", "which copy is made anew is not named");
  }
}

/** A master candidate that goes is replaced by another node. `-O no` asks whether one is sure: -f is the answer. */
function changeOptions({ change }: ModifyNode): string[] {
  switch (change) {
    case NodeChangeKind.OFFLINE:
      return ["-O", "yes", "--auto-promote"];
    case NodeChangeKind.ONLINE:
      return ["-f", "-O", "no"];
    case NodeChangeKind.DRAIN:
      return ["-D", "yes", "--auto-promote"];
    case NodeChangeKind.UNDRAIN:
      return ["-D", "no"];
    case NodeChangeKind.UNSPECIFIED:
    case NodeChangeKind.UNRECOGNIZED:
      throw new VigieError("INVALID_ARGUMENT", "what changes of the node is not named");
  }
}

function allocatableOptions({ allocatable }: SetAllocatable): string[] {
  return ["--allocatable", allocatable ? "yes" : "no"];
}

const KILL_TIMEOUT_MS = 30_000; // luxid waits for the job's process to end

/** `--kill` needs `--yes-do-it`, and -f answers the question of the list that it shows (I5). */
export function killJob(jobId: number): Command {
  return {
    file: "/usr/sbin/gnt-job",
    args: ["cancel", "--kill", "--yes-do-it", "-f", String(jobId)],
    timeoutMs: KILL_TIMEOUT_MS,
  };
}

const RESTART_TIMEOUT_MS = 60_000;

/** The wiki's `/etc/init.d/ganeti restart`, through the name by which Debian starts either init. */
export function restartDaemons(): Command {
  return { file: "/usr/sbin/service", args: ["ganeti", "restart"], timeoutMs: RESTART_TIMEOUT_MS };
}

const WATCHER_TIMEOUT_MS = 15_000;

export function pauseWatcherFor(seconds: number): Command {
  return watcher(["pause", `${seconds}s`]);
}

export function continueWatcherNow(): Command {
  return watcher(["continue"]);
}

function watcher(args: readonly string[]): Command {
  return { file: "/usr/sbin/gnt-cluster", args: ["watcher", ...args], timeoutMs: WATCHER_TIMEOUT_MS };
}

const READD_TIMEOUT_MS = 600_000; // it renews the node's keys and restarts its daemons

/**
 * Ganeti asks for the host key on a terminal where the cluster keeps ssh keys, and without one the answer is "no";
 * a node that was installed anew has another one in any case. So it is not checked, and the plan says so.
 */
export function readd(node: string): Command {
  return {
    file: "/usr/sbin/gnt-node",
    args: ["add", "--readd", "--no-ssh-key-check", node],
    timeoutMs: READD_TIMEOUT_MS,
  };
}

const HBAL_TIMEOUT_MS = 3_600_000; // it waits for the jobs of each set before it submits the next

/** `-L`: by LUXI; `-X`: its moves are done and not only shown. Source: hbal(1). */
export function hbal(reason: string): Command {
  return {
    file: "/usr/bin/hbal",
    args: ["-L", "-X", "--no-disk-moves", `--reason=${reason}`],
    timeoutMs: HBAL_TIMEOUT_MS,
  };
}
