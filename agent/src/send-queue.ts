/**
 * What waits to be sent to an orchestrator that does not read. grpc-js takes every message and keeps it, so the agent
 * counts: what is told again anyway (a report, a reading that was asked for) is left out of a long queue, and where not even
 * results are taken the session ends, for the next one begins with an empty queue (I38).
 */
import type { SessionRequest } from "@vigie/proto";

export const QUEUE_MAX_MESSAGES = 64;
export const RESULTS_MAX_MESSAGES = 256; // with what stands before them

/**
 * @param write hands a message over, and calls back when it has left
 * @returns a send that says whether the message was taken
 */
export function createSendQueue(
  write: (message: SessionRequest, left: () => void) => void,
  end: () => void,
): (message: SessionRequest) => boolean {
  let queued = 0;
  return (message) => {
    const isToldAgain = message.body?.$case === "report" || message.body?.$case === "observed";
    if (queued >= QUEUE_MAX_MESSAGES && isToldAgain) return false;
    if (queued >= RESULTS_MAX_MESSAGES) {
      end();
      return false;
    }
    queued += 1;
    write(message, () => (queued -= 1));
    return true;
  };
}
