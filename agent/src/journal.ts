/**
 * What this agent was asked and what it did, on disk before it does it (I22): one JSON line a record, each fsynced,
 * each hashed together with the one before (I39). It also is the memory of idempotency keys (I23) and of the
 * highest epoch ever seen (I25).
 *
 * After a write or fsync that failed, nothing is known about the file any more: the journal is broken until the
 * process starts again, and no action runs without it (I24). So it is where a record is not what was written, or the
 * file cannot be opened. Nothing else of the agent stops for that: what it sees is told all the same.
 *
 * Once a day a checkpoint is written: where the chain ended, the epoch, the kill switch, planned maintenance, and the keys
 * that are open. It is a record of the same chain. What is before the thirty-first newest one is cut off, and the file
 * then begins with that checkpoint, which proves the chain from there on. Its age is counted in checkpoints and not by the
 * wall clock: a clock that leaps by a year makes one of them, and forgets nothing that may still be asked for.
 */
import { closeSync, ftruncateSync, fstatSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import {
  CHAIN_START,
  explain,
  VigieError,
  type ActionResult,
  type MaintenanceList,
  type Stop,
} from "@vigie/proto";
import { eachLine, REAL_DISK, textAt, type Disk } from "./journal-disk.js";
import { createJournalMemory, type Mark, type Place } from "./journal-memory.js";
import { entryIn, lineOf, recordIn, type JournalEntry } from "./journal-record.js";

export const KEPT_DAYS = 30; // I23

/** What is known of an idempotency key. An intent without a result: it may have run (I22). */
export type KeyState =
  | { readonly state: "new" }
  | { readonly state: "unfinished"; readonly body: string; readonly sinceUnixMs: number }
  | { readonly state: "finished"; readonly body: string; readonly result: ActionResult };

export interface Journal {
  readonly head: () => string;
  readonly records: () => number; // ever; the head is the last one's hash
  /** Why it cannot be written, and what to do; empty: it can. */
  readonly broken: () => string;
  /** False: what was begun before this start is not all known, for a record of it cannot be read. */
  readonly whole: () => boolean;
  readonly highestEpoch: () => number;
  /** The cluster's kill switch as it was last heard of (I33). */
  readonly stop: () => Stop;
  /** The cluster's planned maintenance as it was last heard of. */
  readonly maintenance: () => MaintenanceList;
  /** @throws VigieError JOURNAL_BROKEN where its result cannot be read again */
  readonly keyState: (key: string) => KeyState;
  /** This life of the agent set out to cut for this run. */
  readonly madeCut: (runId: string) => boolean;
  /** @throws VigieError JOURNAL_BROKEN; nothing may run after it */
  readonly append: (entry: JournalEntry, wallUnixMs: number) => void;
  /** Wall clock of the newest checkpoint, or of the first record; undefined: there is none. */
  readonly checkpointedUnixMs: () => number | undefined;
  /**
   * Writes one, and cuts off what is older than KEPT_DAYS of them.
   * @returns why nothing was cut off, where something should have been; the journal is as it was then
   * @throws VigieError JOURNAL_BROKEN
   */
  readonly checkpoint: (wallUnixMs: number) => string;
  readonly close: () => void;
}

const CUTS_REMEMBERED = 1_000;

/** Never throws: a journal that cannot be used is broken, and says why. */
export function openJournal(path: string, disk: Disk = REAL_DISK): Journal {
  const memory = createJournalMemory();
  const cutsMadeHere = new Set<string>();
  let head = CHAIN_START;
  let count = 0;
  let broken = "";
  let whole = true;
  let damaged = false;
  let firstUnixMs: number | undefined;
  let file: number | undefined;
  let cutOff = 0; // bytes that were cut off since it was opened
  let end = 0; // byte behind the last record, with those
  try {
    file = openFile(path, disk);
    readAll(file);
  } catch (cause) {
    whole = false;
    broken = cause instanceof VigieError ? cause.message : `${path} cannot be opened: ${explain(cause)}`;
  }

  return {
    head: () => head,
    records: () => count,
    broken: () => (broken === "" ? "" : `${broken}; no action is performed. ${wayOut(path, damaged)}`),
    whole: () => whole,
    highestEpoch: memory.highestEpoch,
    stop: memory.stop,
    maintenance: memory.maintenance,
    keyState,
    madeCut: (runId) => cutsMadeHere.has(runId),
    append,
    checkpointedUnixMs: () => memory.marks().at(-1)?.unixMs ?? firstUnixMs,
    checkpoint,
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };

  /** @throws VigieError JOURNAL_BROKEN at the first record that does not hold; what is before it is known */
  function readAll(opened: number): void {
    const { size } = fstatSync(opened);
    end = eachLine(opened, (line, at, bytes) => {
      const record = recordIn(line, head, count);
      if (record === undefined) {
        damaged = !(line.includes("\0") && at + bytes + 1 === size); // a page of the last line was never written
        return false;
      }
      if (count === 0) count = record.after.records;
      count += 1;
      head = record.hash;
      firstUnixMs ??= record.unixMs;
      memory.learn(record.entry, record.unixMs, { at, bytes });
      return true;
    });
    if (damaged)
      throw new VigieError("JOURNAL_BROKEN", `${path}: record ${count + 1} is not what was written`);
    // What is torn was being written when the power went: it was never acted on.
    if (size > end) ftruncateSync(opened, end);
  }

  function keyState(key: string): KeyState {
    const known = memory.known(key);
    if (known === undefined) return { state: "new" };
    const { body, sinceUnixMs, result } = known;
    if (result === undefined) return { state: "unfinished", body, sinceUnixMs };
    return { state: "finished", body, result: resultAt(key, result) };
  }

  function resultAt(key: string, { at, bytes }: Place): ActionResult {
    try {
      if (file === undefined) throw new Error("it is closed");
      const entry = entryIn(textAt(file, at - cutOff, bytes));
      if (entry.kind === "result" && entry.key === key) return entry.result;
      throw new Error("another record is there");
    } catch (cause) {
      throw new VigieError("JOURNAL_BROKEN", `${path}: the result of ${key} cannot be read`, { cause });
    }
  }

  function append(entry: JournalEntry, wallUnixMs: number): void {
    if (broken !== "" || file === undefined)
      throw new VigieError("JOURNAL_BROKEN", broken === "" ? `${path} is closed` : broken);
    const { hash, line } = lineOf(entry, wallUnixMs, head);
    const bytes = Buffer.byteLength(line);
    try {
      if (disk.write(file, line) !== bytes) throw new Error("the disk is full");
      disk.sync(file);
    } catch (cause) {
      broken = `${path} cannot be written: ${explain(cause)}`;
      throw new VigieError("JOURNAL_BROKEN", broken, { cause });
    }
    head = hash;
    count += 1;
    firstUnixMs ??= wallUnixMs;
    memory.learn(entry, wallUnixMs, { at: end, bytes: bytes - 1 });
    end += bytes;
    if (entry.kind === "intent" && entry.action === "cutDrbdLink") rememberCut(entry.key.split("/")[0] ?? "");
  }

  function rememberCut(runId: string): void {
    cutsMadeHere.add(runId);
    const [oldest] = cutsMadeHere;
    if (cutsMadeHere.size > CUTS_REMEMBERED && oldest !== undefined) cutsMadeHere.delete(oldest);
  }

  function checkpoint(wallUnixMs: number): string {
    const after = { records: count, head };
    const { highestEpoch, stop, maintenance, open } = memory;
    const entry = {
      kind: "checkpoint",
      after,
      epoch: highestEpoch(),
      stop: stop(),
      maintenance: maintenance(),
      open: open(),
    } as const;
    append(entry, wallUnixMs);
    const mark = memory.marks().at(-1 - KEPT_DAYS);
    return mark === undefined || mark.at <= cutOff ? "" : cutBefore(mark);
  }

  /** By a file that takes its place as a whole: at no moment is there none, or half of one. */
  function cutBefore(mark: Mark): string {
    const next = nextOf(path);
    let copy: number | undefined;
    try {
      rmSync(next, { force: true });
      copy = openSync(next, "ax+", 0o600);
      disk.copy(file ?? -1, mark.at - cutOff, copy);
      disk.sync(copy);
    } catch (cause) {
      if (copy !== undefined) closeSync(copy);
      removeQuietly(next);
      return `${path} could not be shortened: ${explain(cause)}`;
    }
    try {
      disk.rename(next, path);
      disk.syncFolder(dirname(path));
    } catch (cause) {
      // Nobody knows which of the two has the name now, or after a power cut: what is written could be lost (I24).
      closeSync(copy);
      broken = `the folder of ${path} cannot be written: ${explain(cause)}`;
      throw new VigieError("JOURNAL_BROKEN", broken, { cause });
    }
    if (file !== undefined) closeSync(file);
    file = copy;
    cutOff = mark.at;
    memory.forgetBefore(mark);
    return "";
  }
}

/** A new file's name is on disk before its first record is. */
function openFile(path: string, disk: Disk): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, "a+", 0o600);
  disk.syncFolder(dirname(path));
  removeQuietly(nextOf(path)); // of a checkpoint that was interrupted
  return file;
}

function nextOf(path: string): string {
  return `${path}.next`;
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // it is overwritten the next time
  }
}

function wayOut(path: string, damaged: boolean): string {
  if (!damaged) return "Make room, or mend its disk, then: systemctl restart vigie-agent";
  return `Look at what this node's open runs had begun; then keep the file and begin another: mv ${path} ${path}.kept; systemctl restart vigie-agent`;
}
