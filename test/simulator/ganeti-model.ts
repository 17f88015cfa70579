/** What Ganeti knows: instances, the queue with its jobs, and how long its watcher waits. */
import type { DiskModel } from "./drbd-model.js";
import type { PlainDiskModel } from "./lvm-model.js";

export interface GanetiModel {
  readonly instances: InstanceModel[];
  readonly jobs: JobModel[];
  configSerial: number;
  disksMade: number; // so far: each has a UUID of its own
  watcherPausedUntilUnixS: number;
  queueDrained: boolean;
  luxiDown: boolean;
  /** "3.0.2". Before 2.12 a job ends with the daemons, and cannot be killed. */
  release: string;
  /** Why this job fails when it comes to run; undefined: it does what it should. */
  failing: (job: JobModel) => string | undefined;
  /** It goes on no more, and says nothing. */
  frozen: (job: JobModel) => boolean;
}

export interface InstanceModel {
  readonly name: string;
  readonly uuid: string;
  /** Mirrored by DRBD; none where its template is plain. */
  readonly disks: readonly DiskModel[];
  readonly plain: readonly PlainDiskModel[];
  primary: string;
  adminState: "up" | "down";
  serial: number;
  readonly tags: readonly string[];
}

export interface JobModel {
  readonly id: number;
  readonly opcode: string; // "INSTANCE_MIGRATE"
  readonly subject: string; // what stands in its summary's brackets
  readonly instances: readonly string[];
  readonly locks: readonly string[];
  readonly reasons: readonly string[];
  readonly receivedUnixMs: number;
  startedUnixMs: number; // 0: not yet
  status: "queued" | "waiting" | "running" | "canceled" | "success" | "error";
  error: string;
  readonly log: { readonly unixMs: number; readonly text: string }[];
}

export function createGaneti(): GanetiModel {
  return {
    instances: [],
    jobs: [],
    configSerial: 1,
    disksMade: 0,
    watcherPausedUntilUnixS: 0,
    queueDrained: false,
    luxiDown: false,
    release: "3.0.2",
    failing: () => undefined,
    frozen: () => false,
  };
}

/** The first of its mirrored disks: most instances have one. */
export function diskOfInstance({ name, disks: [first] }: InstanceModel): DiskModel {
  if (first === undefined) throw new Error(`${name} has no mirrored disk`);
  return first;
}

export function instanceNamed({ instances }: GanetiModel, name: string): InstanceModel {
  const found = instances.find((instance) => instance.name === name);
  if (found === undefined) throw new Error(`no instance ${name}`);
  return found;
}

export function isOpen({ status }: JobModel): boolean {
  return status === "queued" || status === "waiting" || status === "running";
}
