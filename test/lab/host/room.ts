/** Room is asked for before minutes are spent: what runs out of it in the middle says so in a hundred ways. */
import { mkdirSync, readFileSync, statfsSync } from "node:fs";
import { memoryFolder } from "./paths.js";
import { LabProblem } from "./problem.js";

const GIB = 2 ** 30;
const BUILD_GIB = 3; // packages, image and golden state of one release; 1.9 measured
const RUN_GIB = 4; // three nodes' memory, and what they change of their disks; 3.4 measured

/** @throws LabProblem when a release cannot be built in this folder */
export function requireRoomToBuild(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  requireFree(folder, BUILD_GIB, "make room, or set VIGIE_LAB_CACHE to a folder that has it");
}

/** @throws LabProblem when three nodes do not fit into memory */
export function requireRoomToRun(): void {
  const available =
    Number(/^MemAvailable: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024;
  if (available < RUN_GIB * GIB)
    throw new LabProblem(
      `the lab's three nodes need ${String(RUN_GIB)} GiB of memory, and ${inGib(available)} GiB are available`,
      "end what else needs memory, or take a larger machine",
    );
  const folder = memoryFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  requireFree(folder, RUN_GIB, "make room there, or mount a larger tmpfs on /dev/shm");
}

function requireFree(folder: string, gib: number, remedy: string): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < gib * GIB)
    throw new LabProblem(
      `${folder} has ${inGib(bavail * bsize)} GiB free, and ${String(gib)} are needed`,
      remedy,
    );
}

function inGib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
