/**
 * An approval is for a world that was seen a moment ago; later, it is planned again (I32). The wall clock may be set back
 * meanwhile: what this process itself knows to be older is older.
 */

const APPROVAL_WITHIN_MS = 15 * 60_000;

export function isTooOldToApprove(
  plan: { readonly plannedUnixMs: number } | undefined,
  wallUnixMs: number,
  knownForMs = 0,
): boolean {
  return Math.max(wallUnixMs - (plan?.plannedUnixMs ?? 0), knownForMs) > APPROVAL_WITHIN_MS;
}
