/** An approval is for a world that was seen a moment ago; later, it is planned again (I32). */
import type { Plan } from "@vigie/proto";

const APPROVAL_WITHIN_MS = 15 * 60_000;

export function isTooOldToApprove(plan: Plan | undefined, wallUnixMs: number): boolean {
  return wallUnixMs - (plan?.plannedUnixMs ?? 0) > APPROVAL_WITHIN_MS;
}
