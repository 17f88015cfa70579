/**
 * The archives of the audit log as files: text, a line a record, appended to and never changed. How far a file goes is
 * what the store says: what is behind that was written by a life that ended before it could say so, and is taken for
 * what it is, the beginning of what is written next. If it is something else the file is of another store, or the store
 * is an older copy of its own: then nothing is written, for a record that is nowhere else must not be lost.
 */
import { mkdir, open, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { VigieError } from "@vigie/proto";

const CHUNK_BYTES = 64 * 1024;

export interface ArchiveFiles {
  readonly folder: string;
  /**
   * Appends `text` behind byte `at`, on disk when it resolves; what of it is there already is not written again.
   * @throws VigieError CONFLICT where something else is there, SOURCE_FAILED where the file is shorter or missing
   */
  readonly append: (name: string, at: number, text: string) => Promise<void>;
  /**
   * Whole lines from byte `at` on, without their ends, and none that goes beyond byte `end`.
   * @throws VigieError SOURCE_FAILED where the file is missing or cannot be read
   */
  readonly lines: (name: string, at: number, end: number, limit: number) => Promise<readonly string[]>;
  /** What is behind byte `at`, at most `limit` bytes. @throws VigieError SOURCE_FAILED */
  readonly tail: (name: string, at: number, limit: number) => Promise<Buffer>;
  /** @throws VigieError SOURCE_FAILED */
  readonly bytes: (name: string) => Promise<number>;
}

export function openArchiveFiles(folder: string): ArchiveFiles {
  return { folder, append, lines, tail, bytes };

  async function append(name: string, at: number, text: string): Promise<void> {
    if (at === 0) await mkdir(folder, { recursive: true, mode: 0o700 });
    await withFile(name, at === 0 ? "a+" : "r+", async (file) => {
      const written = Buffer.from(text); // bytes are compared: a write may end within a character
      const { size } = await file.stat();
      if (size < at) throw new VigieError("SOURCE_FAILED", `${join(folder, name)} is cut`);
      const there = await readAt(file, at, Math.min(size - at, written.length));
      if (!written.subarray(0, there.length).equals(there))
        throw new VigieError(
          "CONFLICT",
          `${join(folder, name)} holds other records than this store: is the store an older copy? Put the newest one back, or move the file aside`,
        );
      await writeAt(file, at + there.length, written.subarray(there.length));
      await file.sync();
    });
    if (at === 0) await syncFolder();
  }

  async function lines(name: string, at: number, end: number, limit: number): Promise<readonly string[]> {
    return withFile(name, "r", async (file) => {
      const found: string[] = [];
      let rest = Buffer.alloc(0); // of a line that goes on in the next chunk
      for (let position = at; position < end && found.length < limit;) {
        const chunk = await readAt(file, position, Math.min(CHUNK_BYTES, end - position));
        if (chunk.length === 0) break;
        position += chunk.length;
        const read = Buffer.concat([rest, chunk]);
        let start = 0;
        for (let feed = read.indexOf(10); feed >= 0 && found.length < limit; feed = read.indexOf(10, start)) {
          found.push(read.toString("utf8", start, feed));
          start = feed + 1;
        }
        rest = read.subarray(start);
      }
      return found;
    });
  }

  async function tail(name: string, at: number, limit: number): Promise<Buffer> {
    return withFile(name, "r", (file) => readAt(file, at, limit));
  }

  async function bytes(name: string): Promise<number> {
    return readable(name, async () => (await stat(join(folder, name))).size);
  }

  async function withFile<T>(name: string, how: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = await readable(name, () => open(join(folder, name), how, 0o600));
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }

  async function readable<T>(name: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
      const path = join(folder, name);
      if (isMissing) throw new VigieError("SOURCE_FAILED", `${path} is missing: put it back from a backup`);
      throw new VigieError("SOURCE_FAILED", `${path} cannot be read`, { cause });
    }
  }

  /** So that a new name is there after a power cut, too. */
  async function syncFolder(): Promise<void> {
    const file = await open(folder, "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function readAt(file: FileHandle, at: number, count: number): Promise<Buffer> {
  const buffer = Buffer.alloc(count);
  let got = 0;
  while (got < count) {
    const { bytesRead } = await file.read(buffer, got, count - got, at + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return buffer.subarray(0, got);
}

async function writeAt(file: FileHandle, at: number, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    if (bytesWritten === 0) throw new VigieError("JOURNAL_BROKEN", "the disk is full");
    written += bytesWritten;
  }
}
