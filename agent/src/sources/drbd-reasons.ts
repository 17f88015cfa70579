/**
 * Why each minor last lost its peer or its disk, apart from the lines that tell of it: sixty minors in one blip of the
 * network print more lines than are kept, and "Split-Brain detected" was said once, hours ago.
 */
import { DrbdReason, DrbdReasonKind, type KernelLogLine } from "@vigie/proto";

const DAY_MS = 86_400_000;

// drbd_receiver.c, drbd_worker.c, drbd_req.c of 8.3 and 8.4; DRBD 9 says the same of peers.
const REASONS: readonly (readonly [DrbdReasonKind, RegExp])[] = [
  [DrbdReasonKind.SPLIT_BRAIN, /Split-Brain detected but unresolved/],
  [DrbdReasonKind.SPLIT_BRAIN_LOST, /Split-Brain detected, .*solved\. Sync from peer node/],
  [DrbdReasonKind.SPLIT_BRAIN_WON, /Split-Brain detected, .*solved\. Sync from this node/],
  [DrbdReasonKind.UNRELATED_DATA, /Unrelated data, (?:aborting|dropping connection)/],
  [DrbdReasonKind.PEER_DISK_TOO_SMALL, /The peer's disk size is too small/],
  [DrbdReasonKind.AUTHENTICATION_FAILED, /Authentication of peer failed/],
  [DrbdReasonKind.SETTINGS_DIFFER, /\bincompatible .{1,40} settings\b/],
  [DrbdReasonKind.DIGEST_FAILED, /Digest integrity check FAILED/],
  [DrbdReasonKind.KO_COUNT, /time expired, ko = \d|within ko-count/],
  [DrbdReasonKind.PING_ACK, /PingAck did not arrive in time/],
  [DrbdReasonKind.LOCAL_IO_FAILED, /Local IO failed/],
  [DrbdReasonKind.NO_DATA, /IO ERROR: neither local nor remote/],
];

/** What DRBD decided by itself: nothing that comes later makes it undone. */
const DECIDED: ReadonlySet<DrbdReasonKind> = new Set([
  DrbdReasonKind.SPLIT_BRAIN_LOST,
  DrbdReasonKind.SPLIT_BRAIN_WON,
]);

const LINKED = /\b(?:conn|repl)\( \w+ -> (?:Connected|Established|SyncSource|SyncTarget|PausedSync[ST]) \)/;
const WHOLE = /\bdisk\( \w+ -> UpToDate \)/;
/** The minor begins anew, perhaps as another instance's. */
const BEGINS = /Starting worker thread/;
const OF_DISK: ReadonlySet<DrbdReasonKind> = new Set([DrbdReasonKind.LOCAL_IO_FAILED]);

export interface DrbdReasonLog {
  readonly note: (lines: readonly KernelLogLine[]) => void;
  /** @param sinceBootMs now, by the clock of the lines */
  readonly all: (sinceBootMs: number) => DrbdReason[];
}

export function createDrbdReasonLog(): DrbdReasonLog {
  const reasons = new Map<number, DrbdReason>(); // by minor
  const decided = new Map<number, DrbdReason>(); // likewise
  return {
    note: (lines) => {
      for (const line of lines) noteOne(line);
    },
    all: (sinceBootMs) => {
      for (const [minor, { line }] of decided)
        if (sinceBootMs - (line?.sinceBootUs ?? 0) / 1000 > DAY_MS) decided.delete(minor);
      return [...reasons.values(), ...decided.values()];
    },
  };

  function noteOne(line: KernelLogLine): void {
    const minor = minorOf(line.device);
    if (minor === undefined) return;
    const kind = reasonIn(line.text);
    if (BEGINS.test(line.text)) {
      reasons.delete(minor);
      decided.delete(minor);
    }
    const known = reasons.get(minor)?.kind;
    if (kind === undefined) {
      const isOver = known !== undefined && (OF_DISK.has(known) ? WHOLE : LINKED).test(line.text);
      if (isOver) reasons.delete(minor);
      return;
    }
    if (DECIDED.has(kind)) return void decided.set(minor, DrbdReason.create({ minor, kind, line }));
    // A peer that drops the link for a reason falls silent too.
    if (kind === DrbdReasonKind.PING_ACK && known !== undefined) return;
    reasons.set(minor, DrbdReason.create({ minor, kind, line }));
  }
}

export function reasonIn(text: string): DrbdReasonKind | undefined {
  return REASONS.find(([, shape]) => shape.test(text))?.[0];
}

/** "drbd27", and Ganeti's "resource27", which is the connection of that one device. */
function minorOf(device: string): number | undefined {
  const number = /^(?:drbd|resource)(\d{1,7})$/.exec(device)?.[1];
  return number === undefined ? undefined : Number(number);
}
