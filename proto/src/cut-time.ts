/** How long a cut must stand so that DRBD's own timers end the connection on both nodes (I19, safety F6). */
import type { DrbdConfig } from "./gen/vigie/v1/observation.js";

export const CUT_TTL_MAX_S = 60; // I17

const MARGIN_S = 1;

/** ping-int + ping-timeo + timeout and a second, in whole seconds: 18 with DRBD's defaults. */
export function minimumCutS(
  config: Pick<DrbdConfig, "pingIntervalS" | "pingTimeoutDs" | "timeoutDs">,
): number {
  return Math.ceil(config.pingIntervalS + config.pingTimeoutDs / 10 + config.timeoutDs / 10 + MARGIN_S);
}
