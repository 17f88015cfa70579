/**
 * The kernel's words for DRBD states and the vocabulary's. One table for both ways: the parser reads with it and
 * the tables for people print with it. Source: drbd_strings.c of 8.4, and of 9 for Connecting, Established,
 * Off and Detaching.
 */
import { ConnectionState, DiskState, Role } from "./gen/vigie/v1/observation.js";

/** Words of `cs:`, as 8.0 to 8.4 print them. */
export const CONNECTION_WORDS: Readonly<Record<string, ConnectionState>> = {
  StandAlone: ConnectionState.STAND_ALONE,
  Disconnecting: ConnectionState.DISCONNECTING,
  Unconnected: ConnectionState.UNCONNECTED,
  Timeout: ConnectionState.TIMEOUT,
  BrokenPipe: ConnectionState.BROKEN_PIPE,
  NetworkFailure: ConnectionState.NETWORK_FAILURE,
  ProtocolError: ConnectionState.PROTOCOL_ERROR,
  TearDown: ConnectionState.TEAR_DOWN,
  WFConnection: ConnectionState.WF_CONNECTION,
  WFReportParams: ConnectionState.WF_REPORT_PARAMS,
  Connected: ConnectionState.CONNECTED,
  StartingSyncS: ConnectionState.STARTING_SYNC_S,
  StartingSyncT: ConnectionState.STARTING_SYNC_T,
  WFBitMapS: ConnectionState.WF_BIT_MAP_S,
  WFBitMapT: ConnectionState.WF_BIT_MAP_T,
  WFSyncUUID: ConnectionState.WF_SYNC_UUID,
  SyncSource: ConnectionState.SYNC_SOURCE,
  SyncTarget: ConnectionState.SYNC_TARGET,
  VerifyS: ConnectionState.VERIFY_S,
  VerifyT: ConnectionState.VERIFY_T,
  PausedSyncS: ConnectionState.PAUSED_SYNC_S,
  PausedSyncT: ConnectionState.PAUSED_SYNC_T,
  Ahead: ConnectionState.AHEAD,
  Behind: ConnectionState.BEHIND,
  Unconfigured: ConnectionState.UNCONFIGURED,
};

/** Words of `ro:` and `st:`. */
export const ROLE_WORDS: Readonly<Record<string, Role>> = {
  Primary: Role.PRIMARY,
  Secondary: Role.SECONDARY,
  Unknown: Role.UNKNOWN,
};

/** Words of `ds:`. */
export const DISK_WORDS: Readonly<Record<string, DiskState>> = {
  Diskless: DiskState.DISKLESS,
  Attaching: DiskState.ATTACHING,
  Detaching: DiskState.DETACHING,
  Failed: DiskState.FAILED,
  Negotiating: DiskState.NEGOTIATING,
  Inconsistent: DiskState.INCONSISTENT,
  Outdated: DiskState.OUTDATED,
  DUnknown: DiskState.D_UNKNOWN,
  Consistent: DiskState.CONSISTENT,
  UpToDate: DiskState.UP_TO_DATE,
};

const CONNECTION_WORD = invert(CONNECTION_WORDS);
const ROLE_WORD = invert(ROLE_WORDS);
const DISK_WORD = invert(DISK_WORDS);

/** What is written goes to both copies, and no resync runs. A verify compares them meanwhile, and changes nothing. */
export function replicates(state: ConnectionState): boolean {
  return (
    state === ConnectionState.CONNECTED ||
    state === ConnectionState.VERIFY_S ||
    state === ConnectionState.VERIFY_T
  );
}

/** The kernel's word; "?" for what was not printed. */
export function connectionWord(state: ConnectionState): string {
  return CONNECTION_WORD.get(state) ?? "?";
}

/** The kernel's word; "?" for what was not printed. */
export function roleWord(role: Role): string {
  return ROLE_WORD.get(role) ?? "?";
}

/** The kernel's word; "?" for what was not printed. */
export function diskWord(disk: DiskState): string {
  return DISK_WORD.get(disk) ?? "?";
}

function invert<T extends string>(words: Readonly<Record<string, T>>): ReadonlyMap<T, string> {
  return new Map(Object.entries(words).map(([word, state]) => [state, word]));
}
