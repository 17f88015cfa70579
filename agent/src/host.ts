/**
 * The one seam between the agent and its machine. Parsers, guards and rules never touch a file, a process or a
 * clock; they are given what a Host read. The real one is real-host.ts; the simulator has another.
 */
import type { Clock } from "@vigie/proto";

export const KERNEL_LOG_RECORDS_MAX = 1_000; // of one call

/** A command as data: built by an action or a source, kept in the journal, run in one place only. */
export interface Command {
  readonly file: string; // absolute: no shell, no PATH look-up (I36)
  readonly args: readonly string[];
  readonly timeoutMs: number; // then it is killed, and whether it took effect is unknown
  readonly input?: string; // for its stdin; /dev/null otherwise
  readonly endedBy?: AbortSignal; // then it is killed: what it may do by itself is not wanted any more
  readonly environment?: Readonly<Record<string, string>>; // beside a path and the C locale, which are all of it
}

/** How a command ended. A child that does not die is reported as hung and left behind (I37). */
export interface CommandOutcome {
  readonly end: "exited" | "signalled" | "timed-out" | "hung" | "not-started";
  readonly exitCode: number; // -1 unless it exited by itself
  readonly signal?: string; // "SIGSEGV": of one that was ended by a signal which is not ours
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean; // the output cap of 4 MiB was reached
  readonly durationMs: number;
  readonly ended?: Promise<void>; // of one that hangs: until its child has ended after all
}

/** statfs(2). */
export interface FilesystemStat {
  readonly sizeBytes: number;
  readonly availableBytes: number; // for programs that are not root's
  readonly inodes: number; // 0: it has no such limit
  readonly inodesFree: number;
}

export interface Host extends Clock {
  /** The whole file as UTF-8. Rejects with the errno in `code`, as node:fs does (ENOENT: there is no such file). */
  readonly readFile: (path: string) => Promise<string>;
  /** The names in a folder, in no order. Rejects as node:fs does. */
  readonly listFolder: (path: string) => Promise<string[]>;
  /** Room in the filesystem that holds a path. Rejects as node:fs does. */
  readonly statFilesystem: (path: string) => Promise<FilesystemStat>;
  /** The target of a symbolic link, not resolved further. Rejects as node:fs does. */
  readonly readLink: (path: string) => Promise<string>;
  /** Into a file of the kernel's that is there; none is made. Rejects as node:fs does. */
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Never rejects: how it ended is in the outcome. */
  readonly run: (command: Command) => Promise<CommandOutcome>;
  /** One request and its answer over a UNIX socket, each ended by `end`; rejects at the deadline. */
  readonly exchange: (socketPath: string, request: string, end: string, timeoutMs: number) => Promise<string>;
  /**
   * Opens a block device for reading as its only user, and closes it at once. Rejects with EBUSY in `code` where the
   * kernel has given it, or a partition of it, to somebody: a filesystem, a pool, swap, a map, whoever opened it so.
   */
  readonly claim: (path: string) => Promise<void>;
  /** Opens a disk's folder in sysfs. Rejects as node:fs does where there is no such disk. */
  readonly openDevice: (name: string) => Promise<DeviceHandle>;
  /**
   * Raw records of /dev/kmsg that came since the last call ("6,1234,5678901,-;text"), oldest first, and at most
   * KERNEL_LOG_RECORDS_MAX: fewer are all.
   */
  readonly newKernelLogRecords: () => Promise<string[]>;
}

/**
 * One disk's folder in sysfs, held open: what is read and written through it is that disk's, or fails with ENODEV or
 * ENOENT once it is gone, though another disk has its name by then (I14).
 */
export interface DeviceHandle {
  /** A file below /sys/block/NAME: "dev", "device/wwid". Rejects as readFile does. */
  readonly read: (attribute: string) => Promise<string>;
  /** The target of a link there: "device". Rejects as readLink does. */
  readonly readLink: (attribute: string) => Promise<string>;
  /** The names in a folder there; "" is the folder itself. Rejects as listFolder does. */
  readonly list: (attribute: string) => Promise<string[]>;
  /** Into a file of the SCSI device, opened with the handle. Rejects as node:fs does. */
  readonly write: (attribute: "state" | "delete", text: string) => Promise<void>;
  readonly close: () => Promise<void>;
}
