/** One volume of `drbdsetup status --json`, in the words of 8.4. */
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
import { quote, refuse } from "./cursor.js";
import { resyncOf } from "./drbdsetup-status-resync.js";
import { asArray, asBoolean, asCount, asObject, asString, type JsonObject } from "./json.js";

const UINT32_MAX = 2 ** 32 - 1;
const INT32_MAX = 2 ** 31 - 1;

const ROLES = new Map(Object.entries(ROLE_WORDS));
const DISKS = new Map(Object.entries(DISK_WORDS));
const REPLICATIONS = new Map(Object.entries(CONNECTION_WORDS)).set("Established", ConnectionState.CONNECTED);
const CONNECTIONS = new Map(Object.entries(CONNECTION_WORDS)).set(
  "Connecting",
  ConnectionState.WF_CONNECTION,
);
const ORDERINGS: ReadonlyMap<string, WriteOrdering> = new Map([
  ["none", WriteOrdering.NONE],
  ["drain", WriteOrdering.DRAIN],
  ["flush", WriteOrdering.FLUSH],
  ["barrier", WriteOrdering.BARRIER],
]);

/** @throws VigieError PARSE_FAILED: an unknown word, a number that is none, or more than one peer */
export function minorOf(resource: JsonObject, device: JsonObject, minor: number): DrbdMinor {
  const connections = asArray(resource["connections"], "connections");
  if (connections.length > 1) refuse("more than one peer");
  const connection = connections.length === 0 ? undefined : asObject(connections[0], "a connection");
  const peer = connection === undefined ? undefined : peerDeviceOf(connection, device);
  // "suspended", and by release "suspended-user", "suspended-no-data", "suspended-fencing", "suspended-quorum".
  const suspended = Object.entries(resource).some(
    ([key, value]) => key.startsWith("suspended") && value === true,
  );
  const paused = peer === undefined ? "no" : asString(peer["resync-suspended"], "resync-suspended");
  return {
    minor,
    connection: connectionOf(connection, peer),
    role: known(ROLES, resource["role"], "role"),
    peerRole: connection === undefined ? Role.UNKNOWN : known(ROLES, connection["peer-role"], "peer-role"),
    disk: known(DISKS, device["disk-state"], "disk-state"),
    peerDisk:
      peer === undefined ? DiskState.D_UNKNOWN : known(DISKS, peer["peer-disk-state"], "peer-disk-state"),
    protocol: "", // not in the status
    ioFlags: "",
    ioSuspended: suspended,
    resyncPausedByDependency: paused.includes("dependency"),
    resyncPausedByPeer: paused.includes("peer"),
    resyncPausedByUser: paused.includes("user"),
    networkSentKib: optional(peer, "sent"),
    networkReceivedKib: optional(peer, "received"),
    diskWrittenKib: optional(device, "written"),
    diskReadKib: optional(device, "read"),
    activityLogUpdates: optional(device, "al-writes"),
    bitmapUpdates: optional(device, "bm-writes"),
    localCount: balance(device, "lower-pending"),
    pending: balance(peer, "pending"),
    unacknowledged: balance(peer, "unacked"),
    applicationPending: balance(device, "upper-pending"),
    epochs: undefined,
    writeOrdering: known(ORDERINGS, resource["write-ordering"], "write-ordering"),
    outOfSyncKib: peer === undefined ? undefined : asCount(peer["out-of-sync"], "out-of-sync"),
    resync: peer === undefined ? undefined : resyncOf(peer),
    openCount: openCount(device),
  };
}

function peerDeviceOf(connection: JsonObject, device: JsonObject): JsonObject {
  const peers = asArray(connection["peer_devices"], "peer_devices").map((peer) =>
    asObject(peer, "a peer device"),
  );
  const own = peers.filter((peer) => peer["volume"] === device["volume"]);
  return own.length === 1 && own[0] !== undefined ? own[0] : refuse("the peer's volume is missing");
}

/** While connected the replication state says more; Off is a connection that has not agreed on it yet. */
function connectionOf(connection: JsonObject | undefined, peer: JsonObject | undefined): ConnectionState {
  if (connection === undefined || peer === undefined) return ConnectionState.STAND_ALONE;
  const state = known(CONNECTIONS, connection["connection-state"], "connection-state");
  if (state !== ConnectionState.CONNECTED) return state;
  const replication = peer["replication-state"];
  return replication === "Off"
    ? ConnectionState.WF_REPORT_PARAMS
    : known(REPLICATIONS, replication, "replication-state");
}

function known<T>(words: ReadonlyMap<string, T>, value: unknown, what: string): T {
  const word = asString(value, what);
  return words.get(word) ?? refuse(`unknown ${what} ${quote(word)}`);
}

/** Without --statistics, and by release, a counter may not be printed. */
function optional(object: JsonObject | undefined, key: string, max?: number): number {
  const value = object?.[key];
  return value === undefined ? 0 : asCount(value, key, max);
}

/** A kernel counter that may be below zero for a moment, and is printed as if it could not. */
function balance(object: JsonObject | undefined, key: string): number {
  const value = optional(object, key, UINT32_MAX);
  return value > INT32_MAX ? value - 2 ** 32 : value;
}

/** A number in newer releases, true or false in older ones. */
function openCount(device: JsonObject): number | undefined {
  const { open } = device;
  if (open === undefined) return undefined;
  return typeof open === "number" ? asCount(open, "open", UINT32_MAX) : Number(asBoolean(open, "open"));
}
