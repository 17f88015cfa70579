/**
 * /dev/kmsg: I/O errors, DRBD's changes of state, and tasks that hang. Of each kind the newest 200
 * are kept; of a disk, those since it was plugged in, for a new one may get the name of the one that failed. How often
 * each disk failed is counted apart from them (disk-errors.ts), and so is why each minor lost its peer (drbd-reasons.ts).
 */
import { KernelLogKind, Source, type Damaged, type KernelLogLine } from "@vigie/proto";
import { KERNEL_LOG_RECORDS_MAX, type Host } from "../host.js";
import { quote } from "./cursor.js";
import { createDiskErrorLog } from "./disk-errors.js";
import { createDrbdReasonLog } from "./drbd-reasons.js";
import { parseRecord, type LogRecord } from "./kernel-log-line.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const KEPT_LINES = 200; // of each kind
const TOGETHER_US = 1_000_000; // the kernel prints what belongs to one command in one go

/** Every call makes a source of its own, with its own lines. */
export function kernelLogSource(): SourceDefinition {
  let kept: readonly KernelLogLine[] = [];
  const diskErrors = createDiskErrorLog();
  const drbdReasons = createDrbdReasonLog();
  return {
    source: Source.KERNEL_LOG,
    periodMs: 1_000,
    deadlineMs: 2_000,
    read: (host) => readOrAbsent(() => read(host), "there is no /dev/kmsg"),
  };

  async function read(host: Host): Promise<Reading> {
    const texts = await host.newKernelLogRecords();
    const { lines, damaged, records } = parseRecords(texts, kept);
    kept = newestOfEach(lines);
    drbdReasons.note(records.flatMap(({ line }) => (line?.kind === KernelLogKind.DRBD_STATE ? [line] : [])));
    diskErrors.note(records, texts.length < KERNEL_LOG_RECORDS_MAX, host);
    return {
      state: "ok",
      facts: {
        $case: "kernelLog",
        value: {
          lines: [...kept],
          diskErrors: diskErrors.all(),
          drbdReasons: drbdReasons.all(host.monotonicMs()),
        },
      },
      damaged,
    };
  }
}

/** @param before lines of earlier records, which come first in what is returned */
export function parseRecords(
  records: readonly string[],
  before: readonly KernelLogLine[] = [],
): { lines: KernelLogLine[]; damaged: Damaged[]; records: LogRecord[] } {
  let lines = [...before];
  const understood: LogRecord[] = [];
  const damaged: Damaged[] = [];
  for (const [index, text] of records.entries()) {
    const record = parseRecord(text);
    if (record !== undefined && record.notSupported !== "") takeBack(record, lines, understood);
    if (record?.newDisk !== undefined) lines = withoutErrorsOf(record.newDisk, lines);
    if (record?.line !== undefined) lines.push(record.line);
    if (record !== undefined) understood.push(record);
    if (record !== undefined) continue;
    damaged.push({ line: index + 1, reason: `not a record: ${quote(text)}`, minor: undefined, object: "" });
  }
  return { lines, damaged, records: understood };
}

/** That a command failed is no error of the disk's where the disk only does not know it. */
function takeBack(by: LogRecord, lines: KernelLogLine[], records: LogRecord[]): void {
  const at = records.findLastIndex(({ failed }) => failed === by.notSupported);
  const record = records[at];
  if (record?.line === undefined || by.sinceBootUs - record.sinceBootUs > TOGETHER_US) return;
  lines.splice(lines.indexOf(record.line), 1);
  records[at] = { ...record, line: undefined, diskError: undefined };
}

/** Two hundred lines of DRBD, as a peer's reboot makes them, push no I/O error out. */
function newestOfEach(lines: readonly KernelLogLine[]): KernelLogLine[] {
  const left = new Map<KernelLogLine["kind"], number>();
  return lines
    .toReversed()
    .filter(({ kind }) => {
      const more = left.get(kind) ?? KEPT_LINES;
      left.set(kind, more - 1);
      return more > 0;
    })
    .toReversed();
}

function withoutErrorsOf(
  { name, address }: NonNullable<LogRecord["newDisk"]>,
  lines: readonly KernelLogLine[],
): KernelLogLine[] {
  const isOf = (device: string): boolean => device === address || device.replace(/\d+$/, "") === name;
  return lines.filter(({ kind, device }) => kind !== KernelLogKind.IO_ERROR || !isOf(device));
}
