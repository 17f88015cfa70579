/** The lines of /proc/drbd, one after the other: which minor each belongs to, and what belongs to none. */
import type { Damaged, DrbdMinor } from "@vigie/proto";
import { isDigit, quote, skipBlanks, type Cursor } from "./cursor.js";
import { addLine, closeBlock, damage, openBlock, openNamelessBlock, type Block } from "./proc-drbd-block.js";
import { isBuildLine, parseVersion } from "./proc-drbd-version.js";

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
export interface Progress extends ProcDrbd {
  readonly blocks: Block[];
  current: Block | undefined;
  built: boolean; // the header's second line was there
  strayLines: number;
}

export function beginProgress(): Progress {
  return {
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
}

/** @param start of the line in `text`, `end` where its line end begins */
export function takeLine(progress: Progress, line: number, text: string, start: number, end: number): void {
  const cursor = cursorOver(text, start, end);
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

function cursorOver(text: string, start: number, end: number): Cursor {
  const withoutReturn = end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
  const cursor = { text, at: start, end: withoutReturn };
  skipBlanks(cursor);
  return cursor;
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
export function takeCutLine(progress: Progress, line: number, text: string): void {
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

export function finishProgress(progress: Progress): ProcDrbd {
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
