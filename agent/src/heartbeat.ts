/**
 * Tells systemd every twenty seconds that the main loop turns (WatchdogSec in the agent's unit): one that does not is
 * killed and started again. Node cannot send what systemd expects, a datagram on a UNIX socket, so systemd-notify does;
 * a heartbeat file with a timer of its own would be two more units for the same child. It goes through the host like
 * every other command: while one hangs no second is started.
 *
 * A cut that stands when the agent is killed ends by the kernel's own time (I17).
 */
import type { Host } from "./host.js";

export const BEAT_EVERY_MS = 20_000;
const NOTIFY = "/usr/bin/systemd-notify";

/** @param socket NOTIFY_SOCKET of the environment, for who may notify; undefined: nobody watches */
export async function beat(
  host: Pick<Host, "run" | "sleep">,
  socket: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (socket === undefined || socket === "") return;
  const environment = { NOTIFY_SOCKET: socket };
  while (!signal.aborted) {
    await host.run({ file: NOTIFY, args: ["WATCHDOG=1"], timeoutMs: 10_000, environment });
    await host.sleep(BEAT_EVERY_MS, signal);
  }
}
