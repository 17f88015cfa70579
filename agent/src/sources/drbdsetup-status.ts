/**
 * `drbdsetup status --json`, where DRBD 9 keeps its minors out of /proc/drbd. Its states are given in the words
 * that its own 8.4-compatible /proc/drbd prints (drbd_conn_s_names[] in drbd_legacy_84.c).
 */
import {
  CONNECTION_WORDS,
  ConnectionState,
  DISK_WORDS,
  DiskState,
  ROLE_WORDS,
  Role,
  VigieError,
  WriteOrdering,
  type Damaged,
  type DrbdMinor,
} from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { quote, refuse } from "./cursor.js";
import { asArray, asBoolean, asCount, asObject, asString, parseJson, type JsonObject } from "./json.js";
import { resyncOf } from "./drbdsetup-status-resync.js";
import { runForOutput } from "./reading.js";

const STATUS: Command = { file: "/usr/sbin/drbdsetup", args: ["status", "--json"], timeoutMs: 1_500 };
const MAX_MINOR = 2 ** 20 - 1;
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

export interface DrbdsetupStatus {
  minors: DrbdMinor[];
  damaged: Damaged[];
}

export async function readDrbdsetupStatus(host: Host): Promise<DrbdsetupStatus> {
  return parseDrbdsetupStatus(await runForOutput(host, STATUS));
}

/**
 * @returns one minor a volume. A volume with more than one peer is damaged: no pair of states says how it is.
 * @throws VigieError PARSE_FAILED where the text as a whole is no list of resources
 */
export function parseDrbdsetupStatus(text: string): DrbdsetupStatus {
  const minors: DrbdMinor[] = [];
  const damaged: Damaged[] = [];
  for (const value of asArray(parseJson(text, "the status"), "the status")) {
    let object = "";
    attempt(
      damaged,
      undefined,
      () => object,
      () => {
        const resource = asObject(value, "a resource");
        object = asString(resource["name"], "name");
        for (const device of asArray(resource["devices"], "devices")) {
          takeDevice(minors, damaged, resource, device, object);
        }
      },
    );
  }
  return withoutDoubles({ minors, damaged });
}

function takeDevice(
  minors: DrbdMinor[],
  damaged: Damaged[],
  resource: JsonObject,
  value: unknown,
  object: string,
): void {
  const device = asObject(value, "a device");
  const minor = asCount(device["minor"], "minor", MAX_MINOR);
  attempt(
    damaged,
    minor,
    () => object,
    () => minors.push(minorOf(resource, device, minor)),
  );
}

function minorOf(resource: JsonObject, device: JsonObject, minor: number): DrbdMinor {
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
    localCount: optional(device, "lower-pending", INT32_MAX),
    pending: optional(peer, "pending", INT32_MAX),
    unacknowledged: optional(peer, "unacked", INT32_MAX),
    applicationPending: optional(device, "upper-pending", INT32_MAX),
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

/** A number in newer releases, true or false in older ones. */
function openCount(device: JsonObject): number | undefined {
  const { open } = device;
  if (open === undefined) return undefined;
  return typeof open === "number" ? asCount(open, "open", UINT32_MAX) : Number(asBoolean(open, "open"));
}

function withoutDoubles({ minors, damaged }: DrbdsetupStatus): DrbdsetupStatus {
  const count = new Map<number, number>();
  for (const { minor } of minors) count.set(minor, (count.get(minor) ?? 0) + 1);
  for (const { minor } of damaged) if (minor !== undefined) count.set(minor, 2);
  const doubles = minors.filter(({ minor }) => (count.get(minor) ?? 0) > 1);
  const reports = doubles.map(({ minor }) => ({
    line: 0,
    reason: `minor ${minor} is listed twice`,
    minor,
    object: "",
  }));
  return { minors: minors.filter((minor) => !doubles.includes(minor)), damaged: [...damaged, ...reports] };
}

function attempt(
  damaged: Damaged[],
  minor: number | undefined,
  object: () => string,
  parse: () => void,
): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof VigieError)) throw error;
    damaged.push({ line: 0, reason: error.message, minor, object: minor === undefined ? object() : "" });
  }
}
