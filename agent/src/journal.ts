/**
 * What this agent was asked and what it did, on disk before it does it (I22): one JSON line a record, each fsynced,
 * each hashed together with the one before (I39). It also is the memory of idempotency keys (I23) and of the
 * highest epoch ever seen (I25).
 *
 * After a write or fsync that failed, nothing is known about the file any more: the journal is broken until the
 * process starts again, and no action runs without it (I24).
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import {
  CHAIN_START,
  chainHash,
  firstBrokenLink,
  VigieError,
  type ActionResult,
  type ChainedRecord,
  type Stop,
} from "@vigie/proto";

export type JournalEntry =
  | {
      readonly kind: "intent";
      readonly key: string;
      readonly body: string;
      readonly action: string;
      readonly detail: unknown;
    }
  | { readonly kind: "result"; readonly key: string; readonly body: string; readonly result: ActionResult }
  | { readonly kind: "epoch"; readonly epoch: number }
  | { readonly kind: "stop"; readonly stop: Stop }
  | { readonly kind: "sweep"; readonly detail: unknown };

/** What is known of an idempotency key. An intent without a result: it may have run (I22). */
export type KeyState =
  | { readonly state: "new" }
  | { readonly state: "unfinished"; readonly body: string; readonly sinceUnixMs: number }
  | { readonly state: "finished"; readonly body: string; readonly result: ActionResult };

export interface Journal {
  readonly head: () => string;
  readonly records: () => number; // of which the head is the last one's hash
  readonly broken: () => string; // why; empty: it can be written
  readonly highestEpoch: () => number;
  /** The cluster's kill switch as it was last heard of (I33). */
  readonly stop: () => Stop;
  readonly keyState: (key: string) => KeyState;
  /** This life of the agent set out to cut for this run. */
  readonly madeCut: (runId: string) => boolean;
  /** @throws VigieError JOURNAL_BROKEN; nothing may run after it */
  readonly append: (entry: JournalEntry, wallUnixMs: number) => void;
  readonly close: () => void;
}

/** How a record reaches the disk; a test may fill it. */
export interface Disk {
  /** @returns the bytes that were written: fewer than all where the disk is full, without an error */
  readonly write: (file: number, text: string) => number;
  readonly sync: (file: number) => void;
}

export const REAL_DISK: Disk = { write: (file, text) => writeSync(file, text), sync: fsyncSync };

/** @throws VigieError JOURNAL_BROKEN when a record was changed, or the file cannot be opened */
export function openJournal(path: string, disk: Disk = REAL_DISK): Journal {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const records = readRecords(path);
  const brokenAt = firstBrokenLink(records);
  if (brokenAt !== undefined)
    throw new VigieError("JOURNAL_BROKEN", `${path}: record ${brokenAt + 1} is not what was written`, {
      details: { record: brokenAt + 1 },
    });

  const keys = new Map<string, KeyState>();
  const cutsMadeHere = new Set<string>();
  let highestEpoch = 0;
  let stop: Stop = { number: 0, why: "" };
  let head = records.at(-1)?.hash ?? CHAIN_START;
  let count = records.length;
  let broken = "";
  const file = openFile(path);
  for (const record of records) {
    const { entry, unixMs } = JSON.parse(record.payload) as { entry: JournalEntry; unixMs: number };
    learn(entry, unixMs);
  }

  return {
    head: () => head,
    records: () => count,
    broken: () => broken,
    highestEpoch: () => highestEpoch,
    stop: () => stop,
    keyState: (key) => keys.get(key) ?? { state: "new" },
    madeCut: (runId) => cutsMadeHere.has(runId),
    append,
    close: () => closeSync(file),
  };

  function append(entry: JournalEntry, wallUnixMs: number): void {
    if (broken !== "") throw new VigieError("JOURNAL_BROKEN", broken);
    const payload = JSON.stringify({ unixMs: wallUnixMs, entry });
    const hash = chainHash(head, payload);
    const line = `${hash} ${payload}\n`;
    try {
      if (disk.write(file, line) !== Buffer.byteLength(line)) throw new Error("the disk is full");
      disk.sync(file);
    } catch (cause) {
      broken = `${path} cannot be written`;
      throw new VigieError("JOURNAL_BROKEN", broken, { cause });
    }
    head = hash;
    count += 1;
    learn(entry, wallUnixMs);
    if (entry.kind === "intent" && entry.action === "cutDrbdLink")
      cutsMadeHere.add(entry.key.split("/")[0] ?? "");
  }

  function learn(entry: JournalEntry, unixMs: number): void {
    if (entry.kind === "stop") stop = entry.stop;
    if (entry.kind === "epoch") highestEpoch = Math.max(highestEpoch, entry.epoch);
    if (entry.kind === "intent")
      keys.set(entry.key, { state: "unfinished", body: entry.body, sinceUnixMs: unixMs });
    if (entry.kind === "result")
      keys.set(entry.key, { state: "finished", body: entry.body, result: entry.result });
  }
}

/** A new file's name is on disk before its first record is. */
function openFile(path: string): number {
  try {
    const file = openSync(path, "a", 0o600);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
    return file;
  } catch (cause) {
    throw new VigieError("JOURNAL_BROKEN", `${path} cannot be opened`, { cause });
  }
}

/** A last line without its end was being written when the power went: it was never acted on, and is cut off. */
function readRecords(path: string): ChainedRecord[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new VigieError("JOURNAL_BROKEN", `${path} cannot be read`, { cause: error });
  }
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  if (complete.length < text.length) truncateSync(path, Buffer.byteLength(complete));
  let previousHash = CHAIN_START;
  return complete
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const payload = line[64] === " " ? line.slice(65) : line;
      const record = { previousHash, hash: line.slice(0, 64), payload };
      previousHash = record.hash;
      return record;
    });
}
