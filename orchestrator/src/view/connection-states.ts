/** Connection states of DRBD by what they mean for a plan. Source: drbd_strings.c of 8.4. */
import { ConnectionState } from "@vigie/proto";

/** A resync runs, begins, or is paused. */
export const IN_RESYNC: ReadonlySet<ConnectionState> = new Set([
  ConnectionState.STARTING_SYNC_S,
  ConnectionState.STARTING_SYNC_T,
  ConnectionState.WF_BIT_MAP_S,
  ConnectionState.WF_BIT_MAP_T,
  ConnectionState.WF_SYNC_UUID,
  ConnectionState.SYNC_SOURCE,
  ConnectionState.SYNC_TARGET,
  ConnectionState.PAUSED_SYNC_S,
  ConnectionState.PAUSED_SYNC_T,
]);

/** A packet of the peer's has come lately, or DRBD's own pings would have ended it. */
export const LINKED: ReadonlySet<ConnectionState> = new Set([
  ...IN_RESYNC,
  ConnectionState.WF_REPORT_PARAMS,
  ConnectionState.CONNECTED,
  ConnectionState.VERIFY_S,
  ConnectionState.VERIFY_T,
  ConnectionState.AHEAD,
  ConnectionState.BEHIND,
]);
