/**
 * /proc/drbd: the state of every minor on this node. It is read every second, since it answers even while DRBD
 * hangs (drbdsetup may then sit in the kernel for ever). The kernel prints the whole file in one go (single_open),
 * so one read is one moment.
 */
import { Source, type Damaged, type DrbdMinor } from "@vigie/proto";
import type { Host } from "../host.js";
import { isDigit, quote, skipBlanks, type Cursor } from "./cursor.js";
import { readDrbdsetupStatus } from "./drbdsetup-status.js";
import { addLine, closeBlock, damage, openBlock, openNamelessBlock, type Block } from "./proc-drbd-block.js";
import { isBuildLine, parseVersion } from "./proc-drbd-version.js";
import { readOrAbsent, restAfterHang } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const MAX_MINOR = 2 ** 20 - 1; // MINORMASK of the kernel
const MAX_STRAY_LINES = 100; // reported one by one: a megabyte of rubbish must not become a megabyte of reasons
const COLON = 58;
const CARRIAGE_RETURN = 13;

export interface ProcDrbd {
  version: string; // "8.4.11"; empty where no header was printed
  api: string; // "api:1/proto:86-101"
  minors: DrbdMinor[];
  damaged: Damaged[];
  minorsElsewhere: boolean; // DRBD 9 without device lines: ask `drbdsetup status --json`
}

/** What has been read so far. */
interface Progress extends ProcDrbd {
  readonly blocks: Block[];
  current: Block | undefined;
  built: boolean; // the header's second line was there
  strayLines: number;
}

/** Every reading is of one definition, so that on DRBD 9 a drbdsetup that hangs is not started again and again. */
export function procDrbd(): SourceDefinition {
  return {
    source: Source.PROC_DRBD,
    periodMs: 1_000,
    deadlineMs: 2_000,
    read: restAfterHang((host) => readOrAbsent(() => read(host), "the drbd module is not loaded")),
  };
}

/**
 * Parse /proc/drbd as 8.0 to 8.4 print it (drbd_seq_show() in drbd_proc.c), and 9 for resources that were made by
 * 8.4's tools (drbd_legacy_84.c).
 *
 * @param text the whole file, read in one go
 * @returns the minors in file order. A minor whose lines are not as documented is in `damaged` only, with the line
 *   and the reason, and its neighbours still parse. So is a minor that is listed twice, and one that is cut short:
 *   the last line must have its line end.
 */
export function parseProcDrbd(text: string): ProcDrbd {
  const progress: Progress = {
    version: "",
    api: "",
    minors: [],
    damaged: [],
    minorsElsewhere: false,
    blocks: [],
    current: undefined,
    built: false,
    strayLines: 0,
  };
  let line = 0;
  for (let start = 0; start < text.length;) {
    const lineEnd = text.indexOf("\n", start);
    const end = lineEnd < 0 ? text.length : lineEnd;
    line++;
    if (lineEnd < 0) cutLine(progress, line, text.slice(start));
    else takeLine(progress, line, cursorOver(text, start, end));
    start = end + 1;
  }
  return finish(progress);
}

function cursorOver(text: string, start: number, end: number): Cursor {
  const withoutReturn = end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
  const cursor = { text, at: start, end: withoutReturn };
  skipBlanks(cursor);
  return cursor;
}

function takeLine(progress: Progress, line: number, cursor: Cursor): void {
  if (cursor.at === cursor.end) return closeCurrent(progress); // a hole in the minors
  const { current } = progress;
  if (current !== undefined && startsMinorsOwnLine(cursor)) return addLine(current, line, cursor);
  const number = takeMinorNumber(cursor);
  if (number !== undefined) return open(progress, openBlock(line, number, cursor));
  const rest = cursor.text.slice(cursor.at, cursor.end);
  if (rest.includes("cs:"))
    return open(progress, openNamelessBlock(line, `no minor number in ${quote(rest)}`));
  if (current !== undefined) return addLine(current, line, cursor);
  takeHeaderLine(progress, line, rest);
}

/** The lines below a state line that are met most: no other line starts like them. */
function startsMinorsOwnLine({ text, at }: Cursor): boolean {
  return text.startsWith("ns:", at) || text.startsWith("[", at) || text.startsWith("finish:", at);
}

/**
 * Step over ` 18:` of a state line. Anything else leaves the cursor: "44% sector pos:", and "3: FREE" or
 * "3:  512  1" of the cache listings that proc_details=2 adds.
 */
function takeMinorNumber(cursor: Cursor): number | undefined {
  const { text, at } = cursor;
  let after = at;
  let number = 0;
  for (; isDigit(text.charCodeAt(after)); after++) number = number * 10 + (text.charCodeAt(after) - 48);
  if (after === at || number > MAX_MINOR || text.charCodeAt(after) !== COLON) return undefined;
  cursor.at = after + 1;
  skipBlanks(cursor);
  const listing = isDigit(text.charCodeAt(cursor.at)) || text.startsWith("FREE", cursor.at);
  if (!listing) return number;
  cursor.at = at;
  return undefined;
}

function takeHeaderLine(progress: Progress, line: number, text: string): void {
  const version = progress.blocks.length === 0 ? parseVersion(text) : undefined;
  if (version !== undefined) {
    progress.version = version.version;
    progress.api = version.api;
  } else if (progress.blocks.length === 0 && isBuildLine(text)) {
    progress.built = true;
  } else {
    stray(progress, line, `unknown line ${quote(text)}`);
  }
}

function stray(progress: Progress, line: number, reason: string): void {
  progress.strayLines++;
  if (progress.strayLines > MAX_STRAY_LINES) return;
  progress.damaged.push({ line, reason, minor: undefined, object: "" });
}

/**
 * The read ended inside a line: whatever it says, it may go on. What can only be the beginning of the next minor's
 * state line leaves the minor above it alone.
 */
function cutLine(progress: Progress, line: number, text: string): void {
  const reason = `the last line is cut at ${quote(text)}`;
  const cursor = cursorOver(text, 0, text.length);
  const nextMinors = cursor.at === cursor.end || isDigit(text.charCodeAt(cursor.at));
  if (nextMinors) {
    const number = takeMinorNumber(cursor);
    if (number === undefined) return stray(progress, line, reason);
    open(progress, openBlock(line, number, cursor));
  }
  const { current } = progress;
  if (current === undefined) return stray(progress, line, reason);
  if (current.damaged === undefined) damage(current, line, reason);
}

function open(progress: Progress, block: Block): void {
  closeCurrent(progress);
  progress.blocks.push(block);
  progress.current = block;
}

function closeCurrent(progress: Progress): void {
  if (progress.current !== undefined) closeBlock(progress.current);
  progress.current = undefined;
}

function finish(progress: Progress): ProcDrbd {
  closeCurrent(progress);
  const { version, api, blocks, minors, damaged, strayLines } = progress;
  damageDoubles(blocks);
  for (const block of blocks) {
    if (block.damaged !== undefined) damaged.push(block.damaged);
    else if (block.minor !== undefined) minors.push(block.minor);
  }
  if (blocks.length === 0 && damaged.length === 0 && !progress.built) {
    damaged.push({ line: 0, reason: "the header is not complete", minor: undefined, object: "" });
  }
  if (strayLines > MAX_STRAY_LINES) {
    const reason = `${strayLines - MAX_STRAY_LINES} further lines are unknown`;
    damaged.push({ line: 0, reason, minor: undefined, object: "" });
  }
  const minorsElsewhere = blocks.length === 0 && Number.parseInt(version, 10) >= 9;
  return { version, api, minors, damaged, minorsElsewhere };
}

/** The same minor twice: there is no telling which one is true. */
function damageDoubles(blocks: readonly Block[]): void {
  const seen = new Map<number, Block>();
  for (const block of blocks) {
    if (block.number === undefined) continue;
    const other = seen.get(block.number);
    seen.set(block.number, block);
    if (other === undefined) continue;
    const reason = `minor ${block.number} is listed twice`;
    for (const each of [other, block]) if (each.damaged === undefined) damage(each, each.line, reason);
  }
}

async function read(host: Host): Promise<Reading> {
  const { damaged, ...drbd } = parseProcDrbd(await host.readFile("/proc/drbd"));
  if (!drbd.minorsElsewhere) return { state: "ok", facts: { $case: "drbd", value: drbd }, damaged };
  const status = await readDrbdsetupStatus(host);
  const value = { ...drbd, minors: status.minors };
  return { state: "ok", facts: { $case: "drbd", value }, damaged: [...damaged, ...status.damaged] };
}
