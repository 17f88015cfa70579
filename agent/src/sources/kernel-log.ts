/**
 * /dev/kmsg: I/O errors, DRBD's changes of state, and tasks that hang. The newest 200 are kept; of a disk, those since it
 * was plugged in, for a new one may get the name of the one that failed.
 */
import { KernelLogKind, Source, type Damaged, type KernelLogLine } from "@vigie/proto";
import type { Host } from "../host.js";
import { quote } from "./cursor.js";
import { parseRecord, type LogRecord } from "./kernel-log-line.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const KEPT_LINES = 200;

/** Every call makes a source of its own, with its own lines. */
export function kernelLogSource(): SourceDefinition {
  let kept: readonly KernelLogLine[] = [];
  return {
    source: Source.KERNEL_LOG,
    periodMs: 1_000,
    deadlineMs: 2_000,
    read: (host) => readOrAbsent(() => read(host), "there is no /dev/kmsg"),
  };

  async function read(host: Host): Promise<Reading> {
    const { lines, damaged } = parseRecords(await host.newKernelLogRecords(), kept);
    kept = lines.slice(-KEPT_LINES);
    return {
      state: "ok",
      facts: { $case: "kernelLog", value: { lines: [...kept], diskErrors: [] } },
      damaged,
    };
  }
}

/** @param before lines of earlier records, which come first in what is returned */
export function parseRecords(
  records: readonly string[],
  before: readonly KernelLogLine[] = [],
): { lines: KernelLogLine[]; damaged: Damaged[] } {
  let lines = [...before];
  const damaged: Damaged[] = [];
  for (const [index, text] of records.entries()) {
    const record = parseRecord(text);
    if (record?.newDisk !== undefined) lines = withoutErrorsOf(record.newDisk, lines);
    if (record?.line !== undefined) lines.push(record.line);
    if (record !== undefined) continue;
    damaged.push({ line: index + 1, reason: `not a record: ${quote(text)}`, minor: undefined, object: "" });
  }
  return { lines, damaged };
}

function withoutErrorsOf(
  { name, address }: NonNullable<LogRecord["newDisk"]>,
  lines: readonly KernelLogLine[],
): KernelLogLine[] {
  const isOf = (device: string): boolean => device === address || device.replace(/\d+$/, "") === name;
  return lines.filter(({ kind, device }) => kind !== KernelLogKind.IO_ERROR || !isOf(device));
}
