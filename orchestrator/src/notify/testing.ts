/** What the tests of notifications are made of. */
import { type NoticeCause, Severity } from "@vigie/proto";
import type { Notice } from "../store/outbox.js";
import type { Rules } from "./schedule.js";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const NOON = Date.UTC(2026, 10, 24, 12); // a Tuesday

export const RULES: Rules = {
  minSeverity: Severity.WARNING,
  groupWaitMs: 30_000,
  repeatMs: 30 * MINUTE_MS,
  maxPerHour: 12,
  quiet: [],
};

let made = 0;

export function notice(
  about: string,
  cause: NoticeCause,
  unixMs: number,
  over: Partial<Notice> = {},
): Notice {
  made += 1;
  const id = `n-${String(made).padStart(6, "0")}`;
  return { id, channel: "ops", unixMs, cause, about, severity: Severity.CRITICAL, text: "", ...over };
}
