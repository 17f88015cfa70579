/**
 * Where the lab keeps things. The cache survives (root file system, golden state, keys); the run folder
 * and the disks in memory belong to one running lab and are removed by `down`.
 */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { statfsSync } from "node:fs";

export const REPOSITORY = join(import.meta.dirname, "..", "..", "..");

/** VIGIE_LAB_NAME lets a second lab run beside the first: another namespace, other folders, the same cache. */
export const LAB_NAME = process.env["VIGIE_LAB_NAME"] ?? "vigie-lab";

/** State, sockets and logs of the running lab. */
export const RUN_DIR = `/run/${LAB_NAME}`;
export const STATE_FILE = join(RUN_DIR, "state.json");
export const UML_DIR = join(RUN_DIR, "uml");

/** VIGIE_LAB_CACHE, else XDG_CACHE_HOME/vigie-lab, else ~/.cache/vigie-lab. */
export function cacheRoot(): string {
  const named = process.env["VIGIE_LAB_CACHE"];
  if (named !== undefined && named !== "") return resolve(named);
  const xdg = process.env["XDG_CACHE_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "vigie-lab");
}

/** The small root in which the kernel of the nodes' release runs. */
export function kernelRootIn(cacheFolder: string): string {
  return join(cacheFolder, "kernel");
}

/** The user-mode kernel, in that root. */
export const KERNEL = "/usr/bin/linux.uml";

const SHARED_MEMORY = "/dev/shm";
const ENOUGH_BYTES = 6 * 2 ** 30; // its whole size: three nodes' memory and their changed blocks

/** A user-mode kernel keeps its memory in /dev/shm by itself; where that is small, in the run folder. */
export function memoryFolder(): string {
  return isRoomy(SHARED_MEMORY) ? SHARED_MEMORY : RUN_DIR;
}

/** The changed blocks of each node's disk: Ganeti calls fsync often, so memory is several times faster. */
export function diskFolder(): string {
  return isRoomy(SHARED_MEMORY) ? join(SHARED_MEMORY, LAB_NAME) : join(RUN_DIR, "disks");
}

function isRoomy(folder: string): boolean {
  try {
    const { blocks, bsize } = statfsSync(folder);
    return blocks * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
