/** When a channel may speak: from which severity on, at which times, and how often. Pure. */
import { Severity } from "@vigie/proto";
import { isInWindow } from "../policy/windows.js";
import { rankOf } from "./notice.js";

const HOUR_MS = 3_600_000;

/** Of one channel; times in ms. */
export interface Rules {
  readonly minSeverity: Severity;
  readonly groupWaitMs: number;
  readonly repeatMs: number; // Infinity: the receiver repeats by itself
  readonly maxPerHour: number; // likewise
  readonly quiet: readonly string[]; // as policy/windows.ts has them, in UTC
}

export function wants(rules: Rules, severity: Severity): boolean {
  return rankOf(severity) >= rankOf(rules.minSeverity);
}

/** In quiet hours only what is critical goes out. */
export function mayGoNow({ quiet }: Rules, severity: Severity, nowUnixMs: number): boolean {
  if (severity === Severity.CRITICAL || quiet.length === 0) return true;
  return !isInWindow(quiet, nowUnixMs);
}

/**
 * Whether one more message keeps within the limit. Half of an hour's messages may go at once; the other half goes at
 * even distances, so that what is critical waits for minutes and not for the rest of the hour.
 *
 * @param composed when earlier ones were put together, unix ms
 */
export function hasRoom({ maxPerHour }: Rules, composed: readonly number[], nowUnixMs: number): boolean {
  if (!Number.isFinite(maxPerHour)) return true;
  const recent = composed.filter((unixMs) => unixMs <= nowUnixMs && nowUnixMs - unixMs < HOUR_MS);
  const atOnce = Math.floor(maxPerHour / 2);
  if (recent.length < atOnce) return true;
  const apartMs = HOUR_MS / (maxPerHour - atOnce);
  return recent.length < maxPerHour && nowUnixMs - Math.max(...recent) >= apartMs;
}

/** A moment that lies ahead is of a clock that was set back: it counts as long ago, and nothing waits for it. */
export function ageMs(unixMs: number, nowUnixMs: number): number {
  return unixMs > nowUnixMs ? Infinity : nowUnixMs - unixMs;
}
