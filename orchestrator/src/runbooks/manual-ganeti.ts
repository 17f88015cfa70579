/** Ganeti's commands as a person types them on the master; the agent adds only --submit, --print-jobid and --reason. */
import { NodeChangeKind, ReplaceMode, type ReplaceDisks, type SubmitGanetiJob } from "@vigie/proto";

export type GanetiJobKind = NonNullable<SubmitGanetiJob["job"]>;

export function manualJob(master: string, job: GanetiJobKind): string[] {
  return [onMaster(master, commandOf(job))];
}

function commandOf(job: GanetiJobKind): string {
  switch (job.$case) {
    case "migrateInstance":
      return `gnt-instance migrate -f ${job.value.cleanup ? "--cleanup " : ""}${job.value.instance}`;
    case "failoverInstance":
      return `gnt-instance failover -f ${job.value.instance}`;
    case "replaceDisks":
      return `gnt-instance replace-disks ${replaceOption(job.value)} ${job.value.instance}`;
    case "activateDisks":
      return `gnt-instance activate-disks ${job.value.instance}`;
    case "modifyNode":
      return `gnt-node modify ${nodeOption(job.value.change)} ${job.value.node}`;
    case "setAllocatable":
      return `gnt-node modify-storage --allocatable ${job.value.allocatable ? "yes" : "no"} ${job.value.node} lvm-pv ${job.value.pvName}`;
  }
}

function replaceOption({ mode, newSecondary, disks }: ReplaceDisks): string {
  switch (mode) {
    case ReplaceMode.ON_PRIMARY:
      return `-p --disks=${disks.join(",")}`;
    case ReplaceMode.ON_SECONDARY:
      return `-s --disks=${disks.join(",")}`;
    case ReplaceMode.NEW_SECONDARY:
      return `-n ${newSecondary}`;
    case ReplaceMode.ALLOCATOR:
      return "-I hail";
    case ReplaceMode.AUTO:
    case ReplaceMode.UNSPECIFIED:
    case ReplaceMode.UNRECOGNIZED:
      return "-a";
  }
}

function nodeOption(change: NodeChangeKind): string {
  switch (change) {
    case NodeChangeKind.ONLINE:
      return "-f -O no";
    case NodeChangeKind.DRAIN:
      return "-D yes --auto-promote";
    case NodeChangeKind.UNDRAIN:
      return "-D no";
    case NodeChangeKind.OFFLINE:
    case NodeChangeKind.UNSPECIFIED:
    case NodeChangeKind.UNRECOGNIZED:
      return "-O yes --auto-promote";
  }
}

/** Without -f it asks, and without a terminal the answer is no. */
export function manualKillJob(master: string, jobId: number): string[] {
  return [onMaster(master, `gnt-job cancel --kill --yes-do-it -f ${jobId}`)];
}

/** Where a job is a part of the master daemon. It ends every job. */
export function manualRestartGaneti(master: string): string[] {
  return [onMaster(master, "service ganeti restart")];
}

export function manualPauseWatcher(master: string, forS: number): string[] {
  return [onMaster(master, `gnt-cluster watcher pause ${forS}s`)];
}

export function manualContinueWatcher(master: string): string[] {
  return [onMaster(master, "gnt-cluster watcher continue")];
}

export function manualReadd(master: string, node: string): string[] {
  return [onMaster(master, `gnt-node add --readd --no-ssh-key-check ${node}`)];
}

export function manualRebalance(master: string): string[] {
  return [onMaster(master, "hbal -L -X --no-disk-moves")];
}

export function manualLookAtJob(master: string, jobId: number): string[] {
  return [onMaster(master, `gnt-job info ${jobId}`)];
}

export function manualLookAtInstance(master: string, instance: string): string[] {
  return [onMaster(master, `gnt-instance info ${instance}`)];
}

/** Static: it asks no node and takes no lock, so it answers behind a job that hangs. */
export function manualLookAtMinors(master: string, instance: string): string {
  return onMaster(master, `gnt-instance info -s ${instance}`);
}

export function onMaster(master: string, command: string): string {
  return `${master}# ${command}`;
}

/** Out-of-band management, where the cluster has it; otherwise one goes and looks. */
export function manualPowerStatus(master: string, node: string): string[] {
  return [onMaster(master, `gnt-node power status ${node}`), onMaster(master, `gnt-node power off ${node}`)];
}
