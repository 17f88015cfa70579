/** Time, as a seam: the real one is below, the simulator's jumps. */
export interface Clock {
  /** CLOCK_MONOTONIC in milliseconds: every decision about age or order uses it. */
  readonly monotonicMs: () => number;
  /** The wall clock, for people only: nothing is decided by it (I27). */
  readonly wallUnixMs: () => number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const realClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
  wallUnixMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      }
    }),
};
