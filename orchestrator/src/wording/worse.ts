/** Whether an incident became worse: what was said of it before was said of something less, and people are told anew. */
import { Severity, type Incident } from "@vigie/proto";

export type Extent = Pick<Incident, "severity" | "things">;

/** More severe, or about more things: one guest that is down is not what six are. */
export function isWorse(after: Extent, before: Extent): boolean {
  const more = RANKS.indexOf(after.severity) - RANKS.indexOf(before.severity);
  return more > 0 || (more === 0 && after.things > before.things);
}

const RANKS: readonly Severity[] = [Severity.NOTICE, Severity.WARNING, Severity.CRITICAL];
