/** An approval is for a world that was seen a moment ago; later, it is planned again (I32). */

const APPROVAL_WITHIN_MS = 15 * 60_000;

export function isTooOldToApprove(
  plan: { readonly plannedUnixMs: number } | undefined,
  wallUnixMs: number,
): boolean {
  return wallUnixMs - (plan?.plannedUnixMs ?? 0) > APPROVAL_WITHIN_MS;
}
