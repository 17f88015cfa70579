/**
 * The first line of a minor in /proc/drbd:
 * ` 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----`, `st:` for `ro:` before 8.3.
 */
import {
  CONNECTION_WORDS,
  ConnectionState,
  DISK_WORDS,
  DiskState,
  ROLE_WORDS,
  Role,
  WriteOrdering,
  type DrbdMinor,
} from "@vigie/proto";
import { accept, expect, expectEnd, isBlank, quote, refuse, skipBlanks, takeToken } from "./cursor.js";
import type { Cursor } from "./cursor.js";

// Maps and not the records: "constructor" is a key of every record.
const CONNECTIONS = new Map(Object.entries(CONNECTION_WORDS));
const ROLES = new Map(Object.entries(ROLE_WORDS));
const DISKS = new Map(Object.entries(DISK_WORDS));

// Four characters in 8.0, five from 8.3.1 (the fifth a NUL there), six from 8.3.9. First: I/O runs or is suspended.
// Then three pauses of the resync, told by their letters: after a dependency, by the peer, by the user. Then why it
// is congested, and whether updates of the activity log are suspended: letters that differ by release and decide
// nothing.
const FLAGS = /^[rs][apu-]{3}[a-z-]{0,3}$/;
const SLASH = 47;
const NUL = "\0";

/** A state line as parsed, and its dialect: 8.3 and later print every counter. */
export interface StateLine {
  readonly minor: DrbdMinor;
  readonly everyCounter: boolean;
}

/**
 * @param cursor behind " 0:"
 * @throws VigieError PARSE_FAILED, with the word that is not the kernel's
 */
export function parseState(minorNumber: number, cursor: Cursor): StateLine {
  const minor = emptyMinor(minorNumber);
  expect(cursor, "cs:");
  minor.connection = known(CONNECTIONS, takeToken(cursor), "connection state");
  if (minor.connection === ConnectionState.UNCONFIGURED) {
    expectEnd(cursor);
    return { minor, everyCounter: false };
  }
  const everyCounter = accept(cursor, "ro:");
  if (!everyCounter) expect(cursor, "st:");
  minor.role = known(ROLES, takeToken(cursor, SLASH), "role");
  expectSlash(cursor);
  minor.peerRole = known(ROLES, takeToken(cursor), "peer role");
  expect(cursor, "ds:");
  minor.disk = known(DISKS, takeToken(cursor, SLASH), "disk state");
  expectSlash(cursor);
  minor.peerDisk = known(DISKS, takeToken(cursor), "peer disk state");
  takeProtocol(minor, cursor);
  takeFlags(minor, cursor);
  expectEnd(cursor);
  return { minor, everyCounter };
}

function known<T>(words: ReadonlyMap<string, T>, word: string, what: string): T {
  return words.get(word) ?? refuse(`unknown ${what} ${quote(word)}`);
}

function expectSlash(cursor: Cursor): void {
  if (cursor.at >= cursor.end || cursor.text.charCodeAt(cursor.at) !== SLASH)
    refuse("the peer's half is missing");
  cursor.at++;
}

/** One letter, or a blank where there is no net configuration: a copy that folds blanks has nothing at all there. */
function takeProtocol(minor: DrbdMinor, cursor: Cursor): void {
  skipBlanks(cursor);
  const alone = cursor.at + 1 < cursor.end && isBlank(cursor.text.charCodeAt(cursor.at + 1));
  if (!alone) return;
  minor.protocol = takeToken(cursor);
  if (!/^[ABC]$/.test(minor.protocol)) refuse(`unknown protocol ${quote(minor.protocol)}`);
  skipBlanks(cursor);
}

function takeFlags(minor: DrbdMinor, cursor: Cursor): void {
  const printed = takeToken(cursor);
  const flags = printed.includes(NUL) ? printed.replaceAll(NUL, "-") : printed;
  if (!FLAGS.test(flags)) refuse(`unknown I/O flags ${quote(printed)}`);
  minor.ioFlags = flags;
  minor.ioSuspended = flags[0] === "s";
  const pauses = flags.slice(1, 4);
  minor.resyncPausedByDependency = pauses.includes("a");
  minor.resyncPausedByPeer = pauses.includes("p");
  minor.resyncPausedByUser = pauses.includes("u");
}

/** Every field is there from the start: one hidden class for all, and a delta compares like with like. */
function emptyMinor(minor: number): DrbdMinor {
  return {
    minor,
    connection: ConnectionState.UNSPECIFIED,
    role: Role.UNSPECIFIED,
    peerRole: Role.UNSPECIFIED,
    disk: DiskState.UNSPECIFIED,
    peerDisk: DiskState.UNSPECIFIED,
    protocol: "",
    ioFlags: "",
    ioSuspended: false,
    resyncPausedByDependency: false,
    resyncPausedByPeer: false,
    resyncPausedByUser: false,
    networkSentKib: 0,
    networkReceivedKib: 0,
    diskWrittenKib: 0,
    diskReadKib: 0,
    activityLogUpdates: 0,
    bitmapUpdates: 0,
    localCount: 0,
    pending: 0,
    unacknowledged: 0,
    applicationPending: 0,
    epochs: undefined,
    writeOrdering: WriteOrdering.UNSPECIFIED,
    outOfSyncKib: undefined,
    resync: undefined,
    openCount: undefined,
  };
}
