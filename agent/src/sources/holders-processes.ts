/** Which processes have one of these devices open, by /proc/PID/fd. */
import { explain, HolderKind, type Damaged, type Holder } from "@vigie/proto";
import type { Host } from "../host.js";
import { redact } from "../redact.js";
import { errorCode } from "./reading.js";

/**
 * @param damaged gets the processes that could not be looked at: they may hold it (I11)
 * @param how "writing": only those that opened it so that they may write
 */
export async function processesWith(
  host: Host,
  paths: ReadonlySet<string>,
  damaged: Damaged[],
  how: "in any way" | "writing" = "in any way",
): Promise<Holder[]> {
  const found: Holder[] = [];
  const pids = (await host.listFolder("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids.map(Number).sort((a, b) => a - b)) {
    try {
      if (await hasOpen(host, pid, paths, how)) found.push(await processOf(host, pid));
    } catch (error) {
      if (isOver(error)) continue;
      damaged.push({ line: 0, reason: explain(error), minor: undefined, object: `/proc/${pid}/fd` });
    }
  }
  return found;
}

/** A device node that was removed while it is open has " (deleted)" behind its name. */
async function hasOpen(
  host: Host,
  pid: number,
  paths: ReadonlySet<string>,
  how: "in any way" | "writing",
): Promise<boolean> {
  for (const fd of await host.listFolder(`/proc/${pid}/fd`)) {
    const target = await host.readLink(`/proc/${pid}/fd/${fd}`).catch((error: unknown) => {
      if (isOver(error)) return "";
      throw error;
    });
    const isIt = paths.has(target.replace(/ \(deleted\)$/, ""));
    if (isIt && (how === "in any way" || (await mayWrite(host, `/proc/${pid}/fdinfo/${fd}`)))) return true;
  }
  return false;
}

const ACCESS_MODE = 0o3; // O_RDONLY is 0

/** "flags:\t0100002", octal: proc(5). What is not understood may write (I11). */
async function mayWrite(host: Host, fdinfo: string): Promise<boolean> {
  const flags = /^flags:\s+([0-7]+)$/m.exec(await host.readFile(fdinfo))?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0;
}

async function processOf(host: Host, pid: number): Promise<Holder> {
  const name = (await host.readFile(`/proc/${pid}/comm`)).trim();
  const commandLine = await host.readFile(`/proc/${pid}/cmdline`);
  const detail = redact(commandLine.split("\0").join(" ").trim());
  return { kind: HolderKind.PROCESS, name, pid, detail, kpartx: false, openCount: 0 };
}

/** The process, or its descriptor, is not there any more. */
export function isOver(error: unknown): boolean {
  return ["ENOENT", "ESRCH"].includes(errorCode(error));
}
