/** The lines of one minor in /proc/drbd, put together as they come. The first problem decides: the minor is unknown. */
import { ConnectionState, VigieError, type Damaged, type DrbdMinor } from "@vigie/proto";
import { quote, refuse, type Cursor } from "./cursor.js";
import { parseCounters } from "./proc-drbd-counters.js";
import { parseBar, parseBlocksDone, parseFinish } from "./proc-drbd-progress.js";
import { parseState } from "./proc-drbd-state.js";

export interface Block {
  readonly line: number; // of its first line, 1-based
  readonly number: number | undefined; // undefined: the state line does not say which minor
  minor: DrbdMinor | undefined;
  everyCounter: boolean;
  counted: boolean;
  finishAwaited: boolean;
  damaged: Damaged | undefined;
}

// Where a resync or verify runs, or waits. Progress below another state is two minors' lines mixed up.
const PROGRESSING: ReadonlySet<ConnectionState> = new Set([
  ConnectionState.SYNC_SOURCE,
  ConnectionState.SYNC_TARGET,
  ConnectionState.PAUSED_SYNC_S,
  ConnectionState.PAUSED_SYNC_T,
  ConnectionState.VERIFY_S,
  ConnectionState.VERIFY_T,
]);

// What proc_details adds (always there in 8.0): where the sync stands, the LRU caches, and how they are filled.
const DETAILS = [
  /^\d+% sector pos: \d+\/\d+(?: stop sector: \d+)?\s*$/,
  /^(?:resync|act_log): used:\d+\/\d+(?: \w+:\d+)+\s*$/,
  /^blocked on activity log: \d+\s*$/,
  /^nn: lc_number refcnt \w+\s*$/,
  /^\d+: (?:FREE| *\d+ +\d+ +-?\d+ (?:NO_WRITES|-+) (?:LOCKED|-+))\s*$/,
];

/** @param cursor behind the minor's number and its colon */
export function openBlock(line: number, number: number, cursor: Cursor): Block {
  const block = emptyBlock(line, number);
  attempt(block, line, () => {
    const { minor, everyCounter } = parseState(number, cursor);
    block.minor = minor;
    block.everyCounter = everyCounter;
  });
  return block;
}

/** A line with a connection state and no minor number that can be trusted: what follows belongs to nobody known. */
export function openNamelessBlock(line: number, reason: string): Block {
  const block = emptyBlock(line, undefined);
  damage(block, line, reason);
  return block;
}

/** A further line of the minor. @param cursor at its first character that is no blank */
export function addLine(block: Block, line: number, cursor: Cursor): void {
  if (block.damaged !== undefined) return;
  attempt(block, line, () => takeLine(block, cursor));
}

/** Nothing follows: what the kernel would have printed and did not makes the minor unknown. */
export function closeBlock(block: Block): void {
  if (block.damaged !== undefined) return;
  const unconfigured = block.minor?.connection === ConnectionState.UNCONFIGURED;
  if (!block.counted && !unconfigured) damage(block, block.line, "no counters line below");
  if (block.finishAwaited) damage(block, block.line, "the progress has no second line");
}

export function damage(block: Block, line: number, reason: string): void {
  block.damaged = { line, reason, minor: block.number, object: "" };
}

function takeLine(block: Block, cursor: Cursor): void {
  const { text, at } = cursor;
  if (text.startsWith("ns:", at)) return takeCounters(block, cursor);
  if (text.startsWith("[", at)) return takeBar(block, cursor);
  if (text.startsWith("finish:", at)) return takeFinish(block, cursor);
  const line = text.slice(at, cursor.end).trimEnd();
  if (line === "stalled") return takeBareStalled(block);
  if (BLOCKS_DONE.test(line)) return takeBlocksDone(block, cursor);
  if (!block.counted || block.finishAwaited || !DETAILS.some((detail) => detail.test(line))) {
    refuse(`unknown line ${quote(line)}`);
  }
}

function takeCounters(block: Block, cursor: Cursor): void {
  if (block.minor === undefined || block.counted) return refuse("a second counters line");
  if (block.minor.connection === ConnectionState.UNCONFIGURED) refuse("counters of an unconfigured minor");
  parseCounters(block.minor, cursor, block.everyCounter);
  block.counted = true;
}

function takeBar(block: Block, cursor: Cursor): void {
  const { minor } = block;
  if (minor === undefined || !block.counted || minor.resync !== undefined)
    return refuse("progress out of place");
  if (!PROGRESSING.has(minor.connection)) refuse("progress of a minor that does not resync");
  cursor.at++;
  const { progress, complete } = parseBar(cursor);
  minor.resync = progress;
  block.finishAwaited = !complete;
}

function takeFinish(block: Block, cursor: Cursor): void {
  const progress = block.minor?.resync;
  if (progress === undefined || !block.finishAwaited) return refuse("progress out of place");
  cursor.at += "finish:".length;
  parseFinish(progress, cursor);
  block.finishAwaited = false;
}

function takeBlocksDone(block: Block, cursor: Cursor): void {
  const { minor } = block;
  const verifies =
    minor?.connection === ConnectionState.VERIFY_S || minor?.connection === ConnectionState.VERIFY_T;
  if (minor === undefined || !verifies || !block.counted || minor.resync !== undefined)
    return refuse("progress out of place");
  minor.resync = parseBlocksDone(cursor);
}

const BLOCKS_DONE = /^\d+%\s+\d+\/\d+$/;

/** Up to 8.3.8: no mark for 20 s, and no times then. */
function takeBareStalled(block: Block): void {
  const progress = block.minor?.resync;
  if (progress === undefined || !block.finishAwaited) return refuse("progress out of place");
  progress.kernelSaysStalled = true;
  block.finishAwaited = false;
}

function attempt(block: Block, line: number, parse: () => void): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof VigieError)) throw error;
    damage(block, line, error.message);
  }
}

function emptyBlock(line: number, number: number | undefined): Block {
  return {
    line,
    number,
    minor: undefined,
    everyCounter: false,
    counted: false,
    finishAwaited: false,
    damaged: undefined,
  };
}
