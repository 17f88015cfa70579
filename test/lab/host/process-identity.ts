/**
 * A process id alone is not an identity: ids are reused. The lab records the start time beside it and
 * kills only what still has both, or what lives in that session and carries the lab's own arguments.
 */
import { readFileSync, readdirSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number; // field 22 of /proc/PID/stat: clock ticks since the host's boot
}

/** @returns undefined when there is no such process */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
}

export function isAlive(process: ProcessIdentity): boolean {
  const stat = readStat(process.pid);
  return stat?.startTicks === process.startTicks && stat.state !== "Z";
}

/**
 * Kill a session that `startDetached` began, every process of it at once: for a user-mode kernel that
 * is a power cut. The leader may be gone already while its children linger.
 *
 * @param mark text that each process's command line must hold; it keeps strangers safe
 */
export async function killSession(leader: ProcessIdentity, mark: string): Promise<void> {
  if (isAlive(leader)) signalAll(-leader.pid);
  for (let round = 0; round < 500; round += 1) {
    const left = membersOf(leader);
    if (left.length === 0) return;
    for (const pid of left) if (readCommandLine(pid).includes(mark)) signalAll(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`processes of session ${String(leader.pid)} do not end`);
}

function signalAll(target: number): void {
  try {
    process.kill(target, "SIGKILL");
  } catch {
    // It ended between the look and the signal.
  }
}

/** Also those that are just ending: they have no command line any more, but still hold their memory. */
function membersOf(leader: ProcessIdentity): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    const stat = readStat(pid);
    if (stat === undefined || stat.session !== leader.pid || stat.state === "Z") return false;
    return stat.startTicks >= leader.startTicks;
  });
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

interface Stat {
  readonly state: string;
  readonly session: number;
  readonly startTicks: number;
}

/** The name (field 2) may hold spaces and brackets, so the fields are counted from its last bracket. */
function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", session: Number(fields[3]), startTicks: Number(fields[19]) };
}
