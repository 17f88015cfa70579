/**
 * A wait without a limit must not wait silently for what cannot come. What nobody but a person can bring about is
 * handed to a person after a few minutes; so is whatever has not changed for as long as is configured, an hour.
 */
import type { Clock } from "@vigie/proto";
import type { Seen } from "./conditions/condition.js";

const CANNOT_COME_MS = 5 * 60_000;

const RATE = /, [\d.]+ MiB\/s/g;

type NotSeen = Extract<Seen, { seen: false }>;

/** @returns what to tell a person, and then the wait is over; empty: it goes on */
export function createStillness(clock: Clock, unchangedMs: number): (seen: Seen) => string {
  let stuckSinceMs: number | undefined;
  let last: { readonly text: string; readonly atMs: number } | undefined;
  return (seen) => {
    if (seen.seen || seen.asksPerson === true) return "";
    const nowMs = clock.monotonicMs();
    stuckSinceMs = seen.stuck === undefined ? undefined : (stuckSinceMs ?? nowMs);
    if (stuckSinceMs !== undefined && nowMs - stuckSinceMs >= CANNOT_COME_MS)
      return `it cannot come by itself: ${seen.stuck}`;
    const text = withoutRate(seen);
    if (last?.text !== text) last = { text, atMs: nowMs };
    if (nowMs - last.atMs < unchangedMs) return "";
    return `nothing has changed for ${unchangedMs / 60_000} min${text === "" ? "" : `: ${text}`}`;
  };
}

/** The average rate of a resync that stalls sinks for hours, and is no change. */
function withoutRate({ what = "", progress }: NotSeen): string {
  if (progress === undefined) return what;
  return `${what.replaceAll(RATE, "")} ${progress.donePercent ?? ""}`;
}
