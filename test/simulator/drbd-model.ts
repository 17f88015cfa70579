/**
 * One mirrored disk as two kernels would have it: connection, roles, disks, generations, and a resync that can be
 * slow, stand still, or be cut. It models what Vigie can see and change, with DRBD's own times: pings every 10 s, a
 * reconnect attempt every few seconds. What the real kernel does is tested in the lab; this serves a thousand faults
 * in virtual time.
 */
import { ConnectionState, DiskState, DrbdMinor, ResyncProgress, Role, WriteOrdering } from "@vigie/proto";

const PING_NOTICES_MS = 10_500; // ping-int and ping-timeo: the end that holds the rules gets no reset (safety F6)
const RESET_NOTICES_MS = 500; // the other end is reset by its next packet
const RECONNECT_MS = 3_000;
const WRITTEN_APART_KIB = 64; // by a guest, before its node's peer is back

/** Bulk data is lost, keep-alives pass: on the sockets of now, or on the port whoever connects. */
export type Blackhole = "none" | "this-connection" | "port";

export interface DrbdEndModel {
  readonly node: string;
  readonly minor: number;
  configured: boolean; // the kernel has this minor
  role: Role;
  disk: DiskState;
  connection: ConnectionState;
  generation: Generation;
  sentKib: number;
  receivedKib: number;
  paused: boolean;
}

/** As `drbdsetup get-gi` tells them: numbers here, hexadecimal there. */
export interface Generation {
  readonly current: number;
  readonly bitmap: number; // what the peer had when they parted; 0: they have not
}

export interface DiskModel {
  readonly uuid: string;
  readonly instance: string;
  readonly index: number; // disk/0, disk/1 of its instance
  readonly port: number;
  readonly sizeKib: number;
  ends: readonly [DrbdEndModel, DrbdEndModel];
  source: 0 | 1; // the end from which the resync copies
  outOfSyncKib: number;
  resyncTotalKib: number;
  rateKibPerS: number;
  /** An online verify at work: what it has still to read, and what it will have found. */
  verify: { leftKib: number; readonly findsKib: number } | undefined;
  blackhole: Blackhole;
  /** 100.0 %, oos:0, and SyncSource never left (ganeti#1868), until the connection is made anew. */
  neverLeaves: boolean;
  cutSinceMs: number | undefined;
  apartSinceMs: number | undefined; // both ends wait for a connection since then
}

export function createEnd(node: string, minor: number, role: Role): DrbdEndModel {
  return {
    node,
    minor,
    configured: true,
    role,
    disk: DiskState.UP_TO_DATE,
    connection: ConnectionState.CONNECTED,
    generation: { current: 16, bitmap: 0 },
    sentKib: 0,
    receivedKib: 0,
    paused: false,
  };
}

export interface DiskSpec extends Pick<DiskModel, "uuid" | "instance" | "index" | "port" | "sizeKib"> {
  /** Each with its minor; the primary's first. */
  readonly on: readonly [readonly [node: string, minor: number], readonly [node: string, minor: number]];
}

export function createDisk({ on: [primary, secondary], ...spec }: DiskSpec): DiskModel {
  return {
    ...spec,
    ends: [createEnd(...primary, Role.PRIMARY), createEnd(...secondary, Role.SECONDARY)],
    source: 0,
    outOfSyncKib: 0,
    resyncTotalKib: 0,
    rateKibPerS: 1_024,
    verify: undefined,
    blackhole: "none",
    neverLeaves: false,
    cutSinceMs: undefined,
    apartSinceMs: undefined,
  };
}

export function endAt(disk: DiskModel, node: string): DrbdEndModel | undefined {
  return disk.ends.find((end) => end.node === node);
}

export function peerOf(disk: DiskModel, end: DrbdEndModel): DrbdEndModel {
  return disk.ends[0] === end ? disk.ends[1] : disk.ends[0];
}

/** @param source which end has what the other lacks; without a word, the first one */
export function startResync(disk: DiskModel, outOfSyncKib: number, source: 0 | 1 = 0): void {
  const [from, to] = [disk.ends[source], disk.ends[source === 0 ? 1 : 0]];
  disk.source = source;
  disk.outOfSyncKib = outOfSyncKib;
  disk.resyncTotalKib = Math.ceil(outOfSyncKib);
  from.connection = ConnectionState.SYNC_SOURCE;
  to.connection = ConnectionState.SYNC_TARGET;
  to.disk = DiskState.INCONSISTENT;
}

/** As `drbdsetup verify` at the first end. @param findsKib blocks that differ */
export function startVerify(disk: DiskModel, findsKib = 0): void {
  const [source, target] = disk.ends;
  source.connection = ConnectionState.VERIFY_S;
  target.connection = ConnectionState.VERIFY_T;
  disk.verify = { leftKib: disk.sizeKib, findsKib };
}

/** @param cutAt the node whose fence cuts this link now; undefined: none does @param reachable whether the nodes see each other */
export function step(
  disk: DiskModel,
  dtMs: number,
  nowMs: number,
  cutAt: string | undefined,
  reachable: boolean,
): void {
  const severed = cutAt !== undefined || !reachable || disk.ends.some((end) => !end.configured);
  disk.cutSinceMs = severed ? (disk.cutSinceMs ?? nowMs) : undefined;
  if (severed) loseConnection(disk, nowMs - (disk.cutSinceMs ?? nowMs), cutAt);
  else reconnect(disk, nowMs);
  resync(disk, dtMs);
  verify(disk, dtMs);
}

/** What it finds is marked at its end here, and synchronised by the next connection only. */
function verify(disk: DiskModel, dtMs: number): void {
  const { verify, ends } = disk;
  if (verify === undefined) return;
  const verifies = ends.every((end) => VERIFYING.has(end.connection));
  if (verifies) verify.leftKib = Math.max(0, verify.leftKib - (disk.rateKibPerS * dtMs) / 1000);
  if (verifies && verify.leftKib > 0) return;
  disk.verify = undefined;
  if (!verifies) return;
  connect(disk);
  disk.outOfSyncKib += verify.findsKib;
}

const VERIFYING: ReadonlySet<ConnectionState> = new Set([ConnectionState.VERIFY_S, ConnectionState.VERIFY_T]);

function loseConnection(disk: DiskModel, severedMs: number, cutAt: string | undefined): void {
  for (const end of disk.ends) {
    const noticesMs = cutAt !== undefined && end.node !== cutAt ? RESET_NOTICES_MS : PING_NOTICES_MS;
    const waits =
      end.connection === ConnectionState.STAND_ALONE || end.connection === ConnectionState.WF_CONNECTION;
    if (!waits && severedMs >= noticesMs) part(disk, end, ConnectionState.WF_CONNECTION);
  }
}

/** This end is alone from now on. A Primary with a whole disk begins a new generation: its guest goes on writing. */
export function part(disk: DiskModel, end: DrbdEndModel, into: ConnectionState): void {
  end.connection = into;
  if (end.role === Role.PRIMARY && end.disk === DiskState.UP_TO_DATE) beginGeneration(disk, end);
}

export function beginGeneration(disk: DiskModel, end: DrbdEndModel): void {
  if (end.generation.bitmap !== 0) return;
  const { current } = end.generation;
  const mark = disk.ends[0] === end ? 1 : 2;
  end.generation = { current: current * 16 + mark * 2, bitmap: current };
  if (disk.outOfSyncKib === 0) disk.outOfSyncKib = WRITTEN_APART_KIB;
}

function reconnect(disk: DiskModel, nowMs: number): void {
  const waiting = disk.ends.some((end) => end.connection === ConnectionState.WF_CONNECTION);
  if (!waiting || disk.ends.some((end) => end.connection === ConnectionState.STAND_ALONE))
    return void (disk.apartSinceMs = undefined);
  disk.apartSinceMs ??= nowMs;
  if (nowMs - disk.apartSinceMs < RECONNECT_MS) return;
  handshake(disk);
}

/** What two ends that meet make of each other, by their disks first and then by their generations. */
export function handshake(disk: DiskModel): void {
  disk.apartSinceMs = undefined;
  disk.neverLeaves = false;
  if (disk.blackhole === "this-connection") disk.blackhole = "none";
  const [a, b] = disk.ends;
  const whole = disk.ends.filter((end) => end.disk === DiskState.UP_TO_DATE);
  const lacks = disk.ends.find((end) => end.disk === DiskState.INCONSISTENT);
  if (whole.length === 1 && lacks !== undefined) {
    const source = whole[0] === a ? 0 : 1;
    if (disk.outOfSyncKib > 0) return startResync(disk, disk.outOfSyncKib, source);
    return finish(disk);
  }
  if (whole.length < 2) return connect(disk);
  if (a.generation.current === b.generation.current || disk.outOfSyncKib === 0) return finish(disk);
  if (a.generation.bitmap === b.generation.current) return startResync(disk, disk.outOfSyncKib, 0);
  if (b.generation.bitmap === a.generation.current) return startResync(disk, disk.outOfSyncKib, 1);
  splitBrain(disk);
}

/** Both wrote: the Secondary's end drops the connection, the other one goes on waiting for it. */
function splitBrain(disk: DiskModel): void {
  const [a, b] = disk.ends;
  const dropped = a.role === Role.PRIMARY ? b : a;
  dropped.connection = ConnectionState.STAND_ALONE;
  peerOf(disk, dropped).connection = ConnectionState.WF_CONNECTION;
}

function connect(disk: DiskModel): void {
  for (const end of disk.ends) end.connection = ConnectionState.CONNECTED;
}

/** Both have the same data. */
function finish(disk: DiskModel): void {
  connect(disk);
  disk.outOfSyncKib = 0;
  const source = disk.ends[disk.source];
  for (const end of disk.ends) {
    if (end.disk === DiskState.INCONSISTENT) end.disk = DiskState.UP_TO_DATE;
    end.generation = { current: source.generation.current, bitmap: 0 };
  }
}

function resync(disk: DiskModel, dtMs: number): void {
  const source = disk.ends[disk.source];
  const target = peerOf(disk, source);
  const syncing =
    source.connection === ConnectionState.SYNC_SOURCE && target.connection === ConnectionState.SYNC_TARGET;
  if (!syncing || disk.blackhole !== "none" || source.paused || target.paused) return;
  const movedKib = Math.min(disk.outOfSyncKib, (disk.rateKibPerS * dtMs) / 1000);
  disk.outOfSyncKib -= movedKib;
  source.sentKib += movedKib;
  target.receivedKib += movedKib;
  if (disk.outOfSyncKib > 0) return;
  finish(disk);
  if (disk.neverLeaves) source.connection = ConnectionState.SYNC_SOURCE;
}

/** Its disk does not answer, or is let go: it goes on by its peer's. */
export function loseDisk(disk: DiskModel, end: DrbdEndModel): void {
  if (end.disk === DiskState.DISKLESS) return;
  const peer = peerOf(disk, end);
  const syncing = [ConnectionState.SYNC_SOURCE, ConnectionState.SYNC_TARGET];
  end.disk = DiskState.DISKLESS;
  for (const each of disk.ends)
    if (syncing.includes(each.connection)) each.connection = ConnectionState.CONNECTED;
  if (peer.disk === DiskState.UP_TO_DATE) beginGeneration(disk, peer);
}

/** All of its data count as lost: it gets everything from its peer. */
export function invalidate(disk: DiskModel, end: DrbdEndModel): void {
  end.disk = DiskState.INCONSISTENT;
  end.generation = { current: 4, bitmap: 0 };
  disk.outOfSyncKib = disk.sizeKib;
}

/** The minor as its kernel would report it; undefined: it has none. */
export function minorOf(disk: DiskModel, own: DrbdEndModel): DrbdMinor | undefined {
  if (!own.configured) return undefined;
  const peer = peerOf(disk, own);
  const apart = [ConnectionState.STAND_ALONE, ConnectionState.WF_CONNECTION].includes(own.connection);
  const syncing = [ConnectionState.SYNC_SOURCE, ConnectionState.SYNC_TARGET].includes(own.connection);
  const verifying = VERIFYING.has(own.connection) ? disk.verify : undefined;
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
      : verifying &&
        ResyncProgress.create({
          verify: true,
          leftKib: Math.ceil(verifying.leftKib),
          totalKib: disk.sizeKib,
          leftResolutionKib: 1,
        }),
  });
}
