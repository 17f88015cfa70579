/**
 * How the process ends. process.exit waits for every thread of Node's pool, also for one that sits in the kernel for
 * ever: the handler of a crash would hang with it, and nothing would start the agent again.
 */
import type { Clock } from "@vigie/proto";
import { readsInFlight } from "./read-lanes.js";

const LOOK_EVERY_MS = 20;
const LOOKS = 50; // a second: what ends by itself has ended then

/** @param flush the log's last lines, which nothing writes once the process is killed */
export function leave(exitCode: number, flush: () => void = () => undefined): never {
  if (readsInFlight() === 0) process.exit(exitCode);
  try {
    flush();
  } finally {
    process.kill(process.pid, "SIGKILL");
  }
  process.exit(exitCode);
}

/** As leave, once the reads that were begun have ended; those that hang are not waited for. */
export async function leaveInPeace(
  exitCode: number,
  clock: Pick<Clock, "sleep">,
  flush?: () => void,
): Promise<never> {
  for (let looks = 0; looks < LOOKS && readsInFlight() > 0; looks += 1) await clock.sleep(LOOK_EVERY_MS);
  leave(exitCode, flush);
}
