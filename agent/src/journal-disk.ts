/** How the journal reaches the disk: a seam, so that a test may fill the disk, or take the power away at any point. */
import { closeSync, fsyncSync, openSync, readSync, renameSync, writeSync } from "node:fs";

export interface Disk {
  /** @returns the bytes that were written: fewer than all where the disk is full, without an error */
  readonly write: (file: number, text: string) => number;
  readonly sync: (file: number) => void;
  /** Appends to the file `to` what `from` holds from byte `at` on. Throws where not all of it could be written. */
  readonly copy: (from: number, at: number, to: number) => void;
  readonly rename: (from: string, to: string) => void;
  /** From then on a new name in this folder is there after a power cut, too. */
  readonly syncFolder: (path: string) => void;
}

export const REAL_DISK: Disk = {
  write: (file, text) => writeSync(file, text),
  sync: fsyncSync,
  copy,
  rename: renameSync,
  syncFolder,
};

const CHUNK_BYTES = 64 * 1024;

function copy(from: number, at: number, to: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let position = at; ;) {
    const bytes = readSync(from, chunk, 0, chunk.length, position);
    if (bytes === 0) return;
    if (writeSync(to, chunk, 0, bytes) !== bytes) throw new Error("the disk is full");
    position += bytes;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * The whole lines of a file, one after the other: however long the file is, only one of them is held.
 * @param take gets each line's text without its end, the byte at which it begins, and its bytes; false: no more of them
 * @returns the byte behind the last whole line
 */
export function eachLine(file: number, take: (line: string, at: number, bytes: number) => boolean): number {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest: Buffer[] = []; // of a line that goes on in the next chunk
  let lineAt = 0;
  for (let position = 0; ;) {
    const bytes = readSync(file, chunk, 0, chunk.length, position);
    if (bytes === 0) return lineAt;
    for (let start = 0; start < bytes;) {
      const end = chunk.subarray(0, bytes).indexOf("\n", start);
      if (end < 0) {
        rest.push(Buffer.from(chunk.subarray(start, bytes)));
        break;
      }
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      if (!take(line.toString("utf8"), lineAt, line.length)) return lineAt;
      lineAt += line.length + 1;
      start = end + 1;
    }
    position += bytes;
  }
}

/** @returns the text of these bytes; shorter where the file ends before */
export function textAt(file: number, at: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  return buffer.toString("utf8", 0, readSync(file, buffer, 0, bytes, at));
}
