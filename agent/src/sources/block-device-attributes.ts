/** What the small files of sysfs hold, each a pure function of its text. A text that is not so is refused. */
import { refuse } from "./cursor.js";

const SECTOR_BYTES = 512; // of /sys/block/*/size, whatever the disk's own blocks are
const VPD_HEADER = 4; // bytes before the serial in VPD page 0x80; the last of them is the serial's length
const ASCII_END = 128;

/** A name that is safe in a path. The kernel writes "!" for the "/" in cciss/c0d0. */
export function isDeviceName(name: string): boolean {
  return /^[A-Za-z0-9!_][A-Za-z0-9!_.-]{0,63}$/.test(name) && !name.includes("..");
}

/** @returns bytes */
export function parseSize(text: string): number {
  const bytes = wholeNumber(text) * SECTOR_BYTES;
  return Number.isSafeInteger(bytes) ? bytes : refuse("the size is above 2^53");
}

/** "8:0" */
export function parseDev(text: string): string {
  const dev = text.trim();
  return /^\d{1,7}:\d{1,7}$/.test(dev) ? dev : refuse("dev is not major:minor");
}

/** "running", "offline", "transport-offline", "live" (NVMe), …: any word of the kernel's shape. */
export function parseState(text: string): string {
  const state = text.trim();
  return /^[a-z][a-z-]{0,31}$/.test(state) ? state : refuse("the state is not a word");
}

/** "0" or "1" */
export function parseFlag(text: string): boolean {
  const flag = text.trim();
  return flag === "0" || flag === "1" ? flag === "1" : refuse("a flag is neither 0 nor 1");
}

/** "0x1f": the counters of a SCSI device are printed in hexadecimal. */
export function parseHexCount(text: string): number {
  const count = /^0x[0-9a-f]{1,16}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
  return Number.isSafeInteger(count) ? count : refuse("a counter is not hexadecimal");
}

/**
 * The serial in VPD page 0x80, a binary page that was read as UTF-8: its header bytes became one character each,
 * and the serial itself is ASCII.
 */
export function parseVpdSerial(page: string): string {
  const length = page.charCodeAt(VPD_HEADER - 1);
  const serial = page.slice(VPD_HEADER);
  if (page.length < VPD_HEADER || (length < ASCII_END && serial.length < length))
    refuse("the serial page is cut");
  return parseLabel(length < ASCII_END ? serial.slice(0, length) : serial);
}

/** A vendor's text: padded with blanks, and whatever else; only what can be printed is kept. */
export function parseLabel(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "").trim();
}

/** The last part of the `device` link, where it is a SCSI address (host:channel:target:lun). */
export function parseScsiAddress(target: string): string {
  return /(?:^|\/)(\d+:\d+:\d+:\d+)$/.exec(target)?.[1] ?? "";
}

/** sda1 of sda, nvme0n1p1 of nvme0n1. */
export function partitionsIn(name: string, folder: readonly string[]): string[] {
  const isPartition = (entry: string): boolean =>
    entry.startsWith(name) && /^p?\d+$/.test(entry.slice(name.length));
  return folder.filter(isPartition).sort();
}

function wholeNumber(text: string): number {
  return /^\d{1,19}$/.test(text.trim()) ? Number(text.trim()) : refuse("the size is not a number");
}
