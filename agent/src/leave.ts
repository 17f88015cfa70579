/**
 * How the process ends. process.exit waits for every thread of Node's pool, also for one that sits in the kernel for
 * ever: the handler of a crash would hang with it, and nothing would start the agent again.
 */
import { readsInFlight } from "./read-lanes.js";

export function leave(exitCode: number): never {
  if (readsInFlight() > 0) process.kill(process.pid, "SIGKILL");
  process.exit(exitCode);
}
