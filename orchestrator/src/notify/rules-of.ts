/** A block of the configuration as the rules that its channel goes by. */
import { Severity } from "@vigie/proto";
import type { Rules } from "./schedule.js";
import type { ChannelSettings } from "./settings.js";

const SEVERITIES = {
  notice: Severity.NOTICE,
  warning: Severity.WARNING,
  critical: Severity.CRITICAL,
} as const;

/** Alertmanager groups, repeats, limits and silences by itself: it is told of everything at once. */
export function rulesOf(settings: ChannelSettings): Rules {
  const minSeverity = SEVERITIES[settings.min_severity];
  if (settings.type === "alertmanager")
    return { minSeverity, groupWaitMs: 0, repeatMs: Infinity, maxPerHour: Infinity, quiet: [] };
  return {
    minSeverity,
    groupWaitMs: settings.group_wait_s * 1000,
    repeatMs: settings.repeat_every_min * 60_000,
    maxPerHour: settings.max_per_hour,
    quiet: settings.quiet,
  };
}
