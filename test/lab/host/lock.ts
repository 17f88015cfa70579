/** One at a time: a file that names the process at work. A process that died holds nothing. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { LabProblem } from "./problem.js";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.js";

/**
 * @param what is done under the lock, for the sentence: "brings the lab up"
 * @throws LabProblem while another process holds it
 */
export async function alone<T>(lockFile: string, what: string, work: () => Promise<T>): Promise<T> {
  const release = hold(lockFile, what);
  try {
    return await work();
  } finally {
    release();
  }
}

/** As `alone`, for what ends elsewhere. @returns ends it */
export function hold(lockFile: string, what: string): () => void {
  refuseWhileHeld(lockFile, what);
  mkdirSync(dirname(lockFile), { recursive: true, mode: 0o700 });
  writeFileSync(lockFile, JSON.stringify(identify(process.pid)));
  const release = (): void => rmSync(lockFile, { force: true });
  process.once("exit", release); // an interruption ends the process in the middle of its work
  return () => {
    process.off("exit", release);
    release();
  };
}

/** @throws LabProblem while a process holds it that is neither this one nor the one that started it */
export function refuseWhileHeld(lockFile: string, what: string): void {
  const holder = readHolder(lockFile);
  if (holder === undefined || [process.pid, process.ppid].includes(holder.pid) || !isAlive(holder)) return;
  throw new LabProblem(
    `process ${String(holder.pid)} ${what} at this moment`,
    "wait for it, or end it, and try again",
  );
}

function readHolder(lockFile: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")) as ProcessIdentity;
  } catch {
    return undefined; // nobody, or one that died while it wrote
  }
}
