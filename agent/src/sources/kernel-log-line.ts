/** Which records of the kernel's log matter, and which device each is about. */
import { KernelLogKind, type KernelLogLine } from "@vigie/proto";
import { reasonIn } from "./drbd-reasons.js";

// "6,1234,5678901,-;text", then lines that begin with a blank: a dictionary of the device.
const RECORD = /^(?<prefix>\d{1,10}),(?<sequence>\d{1,19}),(?<sinceBootUs>\d{1,19}),[^;]*;(?<text>[^\n]*)/;
const TEXT_BYTES = 500;

interface Pattern {
  readonly kind: KernelLogKind;
  readonly shape: RegExp; // its group `device`, where it has one
}

const IO = KernelLogKind.IO_ERROR;
const DRBD = KernelLogKind.DRBD_STATE;

// block/blk-core.c (blk_errors[]), fs/buffer.c, drivers/scsi/scsi_lib.c and scsi_logging.c, drivers/nvme, dm.
const PATTERNS: readonly Pattern[] = [
  {
    kind: IO,
    shape:
      /\b(?:I\/O|medium|target|transport|nexus|timeout|protection|offline) error, dev (?<device>[^\s,]+), sector /,
  },
  { kind: IO, shape: /\bBuffer I\/O error on dev(?:ice)? (?<device>[^\s,]+)/ },
  { kind: IO, shape: /\[(?<device>\w+)\] .*rejecting I\/O to (?:offline|dead) device/ },
  { kind: IO, shape: /^\w+ (?<device>\d+:\d+:\d+:\d+): rejecting I\/O to (?:offline|dead) device/ },
  { kind: IO, shape: /\[(?<device>\w+)\] .*(?:FAILED Result: |Sense Key : (?:Medium|Hardware) Error)/ },
  { kind: IO, shape: /^(?<device>nvme\w+): .*I\/O Error/i },
  {
    kind: IO,
    shape:
      /^nvme (?<device>nvme\d+): (?:I\/O (?:tag )?\d+ .*QID \d+ timeout(?!, completion polled)|Device not ready|Removing after probe failure|controller is down)/,
  },
  { kind: IO, shape: /^device-mapper: multipath: .*Failing path (?<device>\d+:\d+)/ },
  { kind: KernelLogKind.HUNG_TASK, shape: /\btask .{1,32}:\d+ (?:<\S+> )?blocked for more than \d+ seconds/ },
];

/** A request that the disk does not know, as some controllers answer a discard: nothing was read or written wrongly. */
const NOT_SUPPORTED =
  /\btarget error, dev \S+, sector \d+ op 0x\w+:\((?:DISCARD|SECURE_ERASE|WRITE_SAME|WRITE_ZEROES)\)/;
/** The same one layer below, behind a line that says only that a command failed. */
const FAILED_COMMAND = /\[(?<device>\w+)\] (?<tag>tag#\d+) FAILED Result: /;
const ILLEGAL_REQUEST = /\[(?<device>\w+)\] (?<tag>tag#\d+) Sense Key : Illegal Request/;

// drbd_state.c print_state_change() of 8.0 to 8.4, and DRBD 9's; then what it says of a split brain, a disk, a peer.
const DRBD_NEWS =
  /\b(?:conn|role|peer|disk|pdsk|repl|susp|quorum)\( .{1,60} -> .{1,60} \)|sock was shut down by peer|Resync done|Began resync|Starting worker thread/;
/** DRBD 9 prints a change that did not come about in the same form. */
const DID_NOT_HAPPEN = /\bFailed: |State change failed/;

const FROM_DRBD = /^(?:(?:block )?drbd|d-con )/;
// "block drbd0: ", "drbd resource0: ", "d-con resource0: " (8.4.0), "drbd resource0/0 drbd0 h2: " (9).
const DRBD_PREFIX = /^(?:block |drbd |d-con )?(?<names>[^:]{1,200}): /;

// sd_revalidate_disk() of drivers/scsi/sd.c, before anything is read of the disk; and again when its size changes.
const NEW_DISK = /^sd (?<address>\d+:\d+:\d+:\d+): \[(?<name>\w+)\] \d+ \d+-byte logical blocks/;

export interface LogRecord {
  readonly sequence: number;
  readonly sinceBootUs: number;
  /** A disk that appears: what was told of this name and this address is another one's. */
  readonly newDisk: { readonly name: string; readonly address: string } | undefined;
  readonly line: KernelLogLine | undefined; // undefined: understood, and of no matter here
  readonly diskError: KernelLogLine | undefined; // that line, where it is an I/O error of a device that it names
  /** A command that failed, and the same one again where it was only not supported: "sda tag#3". */
  readonly failed: string;
  readonly notSupported: string;
}

/** @returns undefined where it is not a record of /dev/kmsg */
export function parseRecord(record: string): LogRecord | undefined {
  const groups = RECORD.exec(record)?.groups;
  const sequence = Number(groups?.["sequence"] ?? Number.NaN);
  const sinceBootUs = Number(groups?.["sinceBootUs"]);
  if (groups === undefined || !Number.isSafeInteger(sequence) || !Number.isSafeInteger(sinceBootUs))
    return undefined;
  // Facility 0 is the kernel: what programs write to /dev/kmsg has another, and is not believed.
  const fromKernel = Number(groups["prefix"]) < 8;
  const text = (groups["text"] ?? "").slice(0, TEXT_BYTES * 2);
  const news = fromKernel ? newsOf(text) : undefined;
  const newDisk = fromKernel ? newDiskOf(text) : undefined;
  const line = news && { sequence, sinceBootUs, text: capped(text), ...news };
  const isDiskError = line?.kind === IO && line.device !== "";
  return {
    sequence,
    sinceBootUs,
    newDisk,
    line,
    diskError: isDiskError ? line : undefined,
    failed: commandOf(FAILED_COMMAND, text),
    notSupported: commandOf(ILLEGAL_REQUEST, text),
  };
}

function commandOf(shape: RegExp, text: string): string {
  const { device = "", tag = "" } = shape.exec(text)?.groups ?? {};
  return tag === "" ? "" : `${device} ${tag}`;
}

function newDiskOf(text: string): LogRecord["newDisk"] {
  const { name = "", address = "" } = NEW_DISK.exec(text)?.groups ?? {};
  return name === "" ? undefined : { name, address };
}

function newsOf(text: string): Pick<KernelLogLine, "kind" | "device"> | undefined {
  if (FROM_DRBD.test(text) && isDrbdNews(text)) return { kind: DRBD, device: drbdName(text) };
  if (NOT_SUPPORTED.test(text)) return undefined;
  for (const { kind, shape } of PATTERNS) {
    const match = shape.exec(text);
    if (match !== null) return { kind, device: withoutPath(match.groups?.["device"] ?? "") };
  }
  return undefined;
}

function isDrbdNews(text: string): boolean {
  return reasonIn(text) !== undefined || (DRBD_NEWS.test(text) && !DID_NOT_HAPPEN.test(text));
}

/** NVMe with several paths: nvme0c1n1 is a path to nvme0n1. */
function withoutPath(device: string): string {
  return device.replace(/^(nvme\d+)c\d+(n\d+)/, "$1$2");
}

/** The minor's device where it is named, otherwise the resource. */
function drbdName(text: string): string {
  const names = (DRBD_PREFIX.exec(text)?.groups?.["names"] ?? "").split(" ");
  const device = names.find((name) => /^drbd\d+$/.test(name));
  return device ?? (names[0] ?? "").replace(/\/\d+$/, "");
}

function capped(text: string): string {
  if (Buffer.byteLength(text) <= TEXT_BYTES) return text;
  return Buffer.from(text)
    .subarray(0, TEXT_BYTES)
    .toString()
    .replace(/\uFFFD$/, "");
}
