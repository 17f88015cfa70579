/**
 * Time that jumps: sleepers are woken in order, and between two of them everything that can run without time
 * passing has run. A heal that takes half a minute takes milliseconds, and always the same ones.
 */
import type { Clock } from "@vigie/proto";
import { createWakeQueue } from "./wake-queue.js";

const WALL_START_UNIX_MS = Date.UTC(2026, 0, 1);

export interface VirtualClock extends Clock {
  /** Lets this much time pass. */
  readonly advance: (ms: number) => Promise<void>;
  /**
   * Lets this much time pass at once: whoever is to wake within it wakes at its end, each once. For hours in which nothing
   * happens but polls; what is to be quicker than a leap is late.
   */
  readonly leap: (ms: number) => Promise<void>;
  /** Lets time pass until `seen` holds, looking every 100 ms. @returns whether it did before `limitMs` */
  readonly advanceUntil: (seen: () => boolean, limitMs: number) => Promise<boolean>;
}

export function createVirtualClock(): VirtualClock {
  let nowMs = 1_000_000;
  const startMs = nowMs;
  const sleepers = createWakeQueue();
  const toldBy = new WeakMap<AbortSignal, Set<() => void>>(); // who sleeps until it aborts

  return {
    monotonicMs: () => nowMs,
    wallUnixMs: () => WALL_START_UNIX_MS + (nowMs - startMs),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const sleeper = sleepers.add(nowMs + Math.max(0, Math.ceil(ms)), wake);
        const told = signal === undefined ? undefined : whoeverIsToldBy(signal).add(wake);
        function wake(): void {
          sleeper.gone = true;
          told?.delete(wake);
          resolve();
        }
      }),
    advance,
    leap: async (ms) => {
      await settle();
      const due = sleepers.takeAllUntil(nowMs + ms);
      nowMs += ms;
      for (const sleeper of due) {
        if (!sleeper.gone) sleeper.wake();
        await settle();
      }
    },
    advanceUntil: async (seen, limitMs) => {
      const endMs = nowMs + limitMs;
      while (!seen() && nowMs < endMs) await advance(100);
      return seen();
    },
  };

  /** One listener for all of them: a process sleeps by the same signal a dozen times a second, and listeners are slow. */
  function whoeverIsToldBy(signal: AbortSignal): Set<() => void> {
    const known = toldBy.get(signal);
    if (known !== undefined) return known;
    const sleeping = new Set<() => void>();
    toldBy.set(signal, sleeping);
    const wakeAll = (): void => {
      for (const wake of sleeping) wake();
    };
    signal.addEventListener("abort", wakeAll, { once: true });
    return sleeping;
  }

  async function advance(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    await settle();
    for (;;) {
      const next = sleepers.takeUntil(endMs);
      if (next === undefined) break;
      nowMs = Math.max(nowMs, next.atMs);
      next.wake();
      await settle();
    }
    nowMs = endMs;
  }
}

/** All promises that can settle now have settled when the next tick comes round: Node.js empties their queue before it. */
function settle(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
