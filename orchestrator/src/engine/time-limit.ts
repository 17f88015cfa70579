/**
 * When something that a person has begun for a while is over, whatever is done to a clock. Its end is kept as a moment of
 * the wall clock, for it outlives this process and this machine. While the process lives the time that really passes
 * counts beside it: a clock that is set back makes nothing longer. It is the quiet that ends early where they disagree.
 */
import type { Clock } from "@vigie/proto";

const SKEW_MS = 300_000; // between the clocks of two masters, at most

export interface Span {
  readonly fromUnixMs: number;
  readonly untilUnixMs: number;
}

/** Both ends; the first that comes. */
export interface TimeLimit {
  readonly unixMs: number;
  readonly monotonicMs: number;
}

/**
 * @param atMostMs a longer span ends so long from now
 * @returns undefined: it is over, or of a clock that was set back since, and how much of it is left is not known
 */
export function limitOf(
  { fromUnixMs, untilUnixMs }: Span,
  atMostMs: number,
  clock: Clock,
): TimeLimit | undefined {
  const nowUnixMs = clock.wallUnixMs();
  const leftMs = Math.min(untilUnixMs - nowUnixMs, untilUnixMs - fromUnixMs, atMostMs);
  if (leftMs <= 0 || fromUnixMs - nowUnixMs > SKEW_MS) return undefined;
  return { unixMs: untilUnixMs, monotonicMs: clock.monotonicMs() + leftMs };
}

export function isPast(limit: TimeLimit | undefined, clock: Clock): boolean {
  if (limit === undefined) return true;
  return clock.wallUnixMs() >= limit.unixMs || clock.monotonicMs() >= limit.monotonicMs;
}
