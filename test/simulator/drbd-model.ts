/**
 * One mirrored disk as two kernels would have it: connection, roles, disks, and a resync that can be slow, stand
 * still, or be cut. It models what Vigie can see and change, with DRBD's own times: pings every 10 s, a reconnect
 * attempt every few seconds. What the real kernel does is tested in the lab; this serves a thousand faults in
 * virtual time.
 */
import { ConnectionState, DiskState, DrbdMinor, ResyncProgress, Role, WriteOrdering } from "@vigie/proto";

const PING_NOTICES_MS = 10_500; // ping-int and ping-timeo: the end that holds the rules gets no reset (safety F6)
const RESET_NOTICES_MS = 500; // the other end is reset by its next packet
const RECONNECT_MS = 3_000;

/** Bulk data is lost, keep-alives pass: on the sockets of now, or on the port whoever connects. */
export type Blackhole = "none" | "this-connection" | "port";

export interface DrbdEndModel {
  readonly node: string;
  readonly minor: number;
  role: Role;
  disk: DiskState;
  connection: ConnectionState;
  sentKib: number;
  receivedKib: number;
  paused: boolean;
}

export interface DiskModel {
  readonly uuid: string;
  readonly instance: string;
  readonly port: number;
  readonly sizeKib: number;
  readonly ends: readonly [DrbdEndModel, DrbdEndModel];
  outOfSyncKib: number;
  resyncTotalKib: number;
  rateKibPerS: number;
  blackhole: Blackhole;
  /** 100.0 %, oos:0, and SyncSource never left (ganeti#1868), until the connection is made anew. */
  neverLeaves: boolean;
  cutSinceMs: number | undefined;
  apartSinceMs: number | undefined; // both ends wait for a connection since then
}

export function createDisk(instance: string, index: number, primary: string, secondary: string): DiskModel {
  const end = (node: string, minor: number, role: Role): DrbdEndModel => ({
    node,
    minor,
    role,
    disk: DiskState.UP_TO_DATE,
    connection: ConnectionState.CONNECTED,
    sentKib: 0,
    receivedKib: 0,
    paused: false,
  });
  return {
    uuid: `${String(index).padStart(8, "0")}-0000-4000-8000-000000000000`,
    instance,
    port: 11_000 + index,
    sizeKib: 65_536,
    ends: [end(primary, index, Role.PRIMARY), end(secondary, index + 10, Role.SECONDARY)],
    outOfSyncKib: 0,
    resyncTotalKib: 0,
    rateKibPerS: 1_024,
    blackhole: "none",
    neverLeaves: false,
    cutSinceMs: undefined,
    apartSinceMs: undefined,
  };
}

/** The first end is the source: the second has less. */
export function startResync(disk: DiskModel, outOfSyncKib: number): void {
  const [source, target] = disk.ends;
  disk.outOfSyncKib = outOfSyncKib;
  disk.resyncTotalKib = Math.ceil(outOfSyncKib);
  source.connection = ConnectionState.SYNC_SOURCE;
  target.connection = ConnectionState.SYNC_TARGET;
  target.disk = DiskState.INCONSISTENT;
}

/** @param cutAt the node whose fence cuts this link now; undefined: none does @param reachable whether the nodes see each other */
export function step(
  disk: DiskModel,
  dtMs: number,
  nowMs: number,
  cutAt: string | undefined,
  reachable: boolean,
): void {
  const severed = cutAt !== undefined || !reachable;
  disk.cutSinceMs = severed ? (disk.cutSinceMs ?? nowMs) : undefined;
  if (severed) loseConnection(disk, nowMs - (disk.cutSinceMs ?? nowMs), cutAt);
  else reconnect(disk, nowMs);
  resync(disk, dtMs);
}

function loseConnection(disk: DiskModel, severedMs: number, cutAt: string | undefined): void {
  for (const end of disk.ends) {
    const noticesMs = cutAt !== undefined && end.node !== cutAt ? RESET_NOTICES_MS : PING_NOTICES_MS;
    if (end.connection !== ConnectionState.STAND_ALONE && severedMs >= noticesMs)
      end.connection = ConnectionState.WF_CONNECTION;
  }
}

function reconnect(disk: DiskModel, nowMs: number): void {
  const waiting = disk.ends.some((end) => end.connection === ConnectionState.WF_CONNECTION);
  if (!waiting || disk.ends.some((end) => end.connection === ConnectionState.STAND_ALONE))
    return void (disk.apartSinceMs = undefined);
  disk.apartSinceMs ??= nowMs;
  if (nowMs - disk.apartSinceMs < RECONNECT_MS) return;
  disk.apartSinceMs = undefined;
  disk.neverLeaves = false;
  if (disk.blackhole === "this-connection") disk.blackhole = "none";
  if (disk.outOfSyncKib > 0) return startResync(disk, disk.outOfSyncKib);
  for (const end of disk.ends) end.connection = ConnectionState.CONNECTED;
  for (const end of disk.ends) if (end.disk === DiskState.INCONSISTENT) end.disk = DiskState.UP_TO_DATE;
}

function resync(disk: DiskModel, dtMs: number): void {
  const [source, target] = disk.ends;
  const syncing =
    source.connection === ConnectionState.SYNC_SOURCE && target.connection === ConnectionState.SYNC_TARGET;
  if (!syncing || disk.blackhole !== "none" || source.paused || target.paused) return;
  const movedKib = Math.min(disk.outOfSyncKib, (disk.rateKibPerS * dtMs) / 1000);
  disk.outOfSyncKib -= movedKib;
  source.sentKib += movedKib;
  target.receivedKib += movedKib;
  if (disk.outOfSyncKib > 0) return;
  target.disk = DiskState.UP_TO_DATE;
  target.connection = ConnectionState.CONNECTED;
  source.connection = disk.neverLeaves ? ConnectionState.SYNC_SOURCE : ConnectionState.CONNECTED;
}

/** The minor as its kernel would report it. */
export function minorOf(disk: DiskModel, own: DrbdEndModel): DrbdMinor {
  const peer = disk.ends[0] === own ? disk.ends[1] : disk.ends[0];
  const apart = [ConnectionState.STAND_ALONE, ConnectionState.WF_CONNECTION].includes(own.connection);
  const syncing = [ConnectionState.SYNC_SOURCE, ConnectionState.SYNC_TARGET].includes(own.connection);
  return DrbdMinor.create({
    minor: own.minor,
    connection: own.connection,
    role: own.role,
    peerRole: apart ? Role.UNKNOWN : peer.role,
    disk: own.disk,
    peerDisk: apart ? DiskState.D_UNKNOWN : peer.disk,
    protocol: own.connection === ConnectionState.STAND_ALONE ? "" : "C",
    ioFlags: own.paused ? "r--u--" : "r-----",
    resyncPausedByUser: own.paused,
    networkSentKib: Math.floor(own.sentKib),
    networkReceivedKib: Math.floor(own.receivedKib),
    writeOrdering: WriteOrdering.FLUSH,
    epochs: 1,
    outOfSyncKib: Math.ceil(disk.outOfSyncKib),
    resync: syncing
      ? ResyncProgress.create({
          leftKib: Math.ceil(disk.outOfSyncKib),
          totalKib: disk.resyncTotalKib,
          leftResolutionKib: 1,
        })
      : undefined,
  });
}
