/**
 * One direction of a connection: messages arrive in order, after the time that each needs, and wait in the receiver's
 * buffer while that process is frozen. What has been received survives the end of the connection, as it does in a kernel.
 */
import type { Clock } from "@vigie/proto";
import { isFrozen, thawed, type Life } from "./mortal.js";

export interface Pipe<T> {
  /** @param afterMs on its way; "lost": it never arrives, and neither does what comes after it on this connection */
  readonly push: (message: T, afterMs: number | "lost") => void;
  /** The end: comes behind what was sent before. */
  readonly end: () => void;
}

export interface PipeParts<T> {
  readonly clock: Clock;
  readonly receiver: Life;
  readonly deliver: (message: T) => void;
  readonly ended: () => void;
}

type Item<T> = { readonly atMs: number } & ({ readonly message: T } | { readonly end: true });

export function createPipe<T>({ clock, receiver, deliver, ended }: PipeParts<T>): Pipe<T> {
  const waiting: Item<T>[] = [];
  const state = { draining: false, broken: false };
  return {
    push: (message, afterMs) => {
      if (afterMs === "lost") state.broken = true;
      else if (!state.broken) put({ message, atMs: clock.monotonicMs() + afterMs });
    },
    end: () => {
      put({ end: true, atMs: clock.monotonicMs() });
      state.broken = true;
    },
  };

  function put(item: Item<T>): void {
    waiting.push(item);
    if (!state.draining) void drain();
  }

  async function drain(): Promise<void> {
    state.draining = true;
    for (let item = waiting[0]; item !== undefined; item = waiting[0]) {
      const restMs = item.atMs - clock.monotonicMs();
      if (restMs > 0) await clock.sleep(restMs);
      if (isFrozen(receiver)) await thawed(receiver);
      waiting.shift();
      if (!receiver.alive) break;
      if ("end" in item) ended();
      else deliver(item.message);
    }
    state.draining = false;
  }
}
