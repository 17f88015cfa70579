/**
 * The lines that /proc/drbd prints below a minor while a resync or a verify runs:
 *
 *     	[=======>............] sync'ed: 44.4% (588416/1048576)K
 *     	finish: 0:00:08 speed: 65,736 (65,736) want: 61,440 K/sec
 *
 * Kernels 2.6.39 to 3.0 forget the line end between the two (")Mfinish:"). Up to 8.3.8 a bare `stalled` stands in
 * for the second; from 8.3.9 it ends in `(stalled)`. 8.3.8 alone prints `queue_delay:`, and groups `want:` wrongly.
 * Source: drbd_syncer_progress() of 8.0 to 8.4, and of 9's drbd_legacy_84.c (`finish: ∞`, negative speeds).
 */
import type { ResyncProgress } from "@vigie/proto";
import {
  accept,
  expect,
  expectEnd,
  isDigit,
  refuse,
  rest,
  skipBlanks,
  takeSigned,
  takeUnsigned,
} from "./cursor.js";
import type { Cursor } from "./cursor.js";

const KIB_PER_MIB = 1024;
const KIB_PER_BLOCK = 4;
const COMMA = 44;
const MINUS = 45;
const BAR = /[=*>.]*\]/y;

export interface ProgressLine {
  readonly progress: ResyncProgress;
  readonly complete: boolean; // the `finish:` half stood on the same line
}

/** @param cursor behind "[" */
export function parseBar(cursor: Cursor): ProgressLine {
  BAR.lastIndex = cursor.at;
  if (!BAR.test(cursor.text) || BAR.lastIndex > cursor.end)
    refuse(`the progress bar is cut at ${rest(cursor)}`);
  cursor.at = BAR.lastIndex;
  const verify = accept(cursor, "verified:");
  if (!verify) expect(cursor, "sync'ed:");
  const donePercent = percent(cursor);
  expect(cursor, "(");
  const left = takeUnsigned(cursor, "left");
  expect(cursor, "/");
  const total = takeUnsigned(cursor, "total");
  expect(cursor, ")");
  const unit = accept(cursor, "M") ? KIB_PER_MIB : 1;
  if (unit === 1) expect(cursor, "K");
  takeQueueDelay(cursor);

  const progress = startedProgress(verify, donePercent, inKib(left, unit), inKib(total, unit), unit);
  const complete = accept(cursor, "finish:");
  if (complete) parseFinish(progress, cursor);
  expectEnd(cursor);
  return { progress, complete };
}

/** @param cursor behind "finish:" */
export function parseFinish(progress: ResyncProgress, cursor: Cursor): void {
  if (!accept(cursor, "∞")) progress.finishS = duration(cursor);
  expect(cursor, "speed:");
  progress.speedKibPerS = speed(cursor);
  expect(cursor, "(");
  progress.averageSpeedKibPerS = speed(cursor);
  // With details the average over 3 s comes first, and the one since the start after the dashes.
  if (accept(cursor, "--")) progress.averageSpeedKibPerS = speed(cursor);
  expect(cursor, ")");
  if (accept(cursor, "want:")) progress.wantKibPerS = speed(cursor);
  expect(cursor, "K/sec");
  takeQueueDelay(cursor);
  progress.kernelSaysStalled = accept(cursor, "(stalled)");
  expectEnd(cursor);
}

function percent(cursor: Cursor): number {
  skipBlanks(cursor);
  const whole = takeUnsigned(cursor, "percent");
  expect(cursor, ".");
  const value = (whole * 10 + takeUnsigned(cursor, "percent")) / 10;
  expect(cursor, "%");
  return value <= 100 ? value : refuse(`${value} % is more than all`);
}

function inKib(printed: number, unit: number): number {
  const kib = printed * unit;
  return Number.isSafeInteger(kib) ? kib : refuse("the size left is above 2^53");
}

/** h:mm:ss, where h may have any number of digits. */
function duration(cursor: Cursor): number {
  skipBlanks(cursor);
  const hours = takeUnsigned(cursor, "finish");
  expect(cursor, ":");
  const minutes = takeUnsigned(cursor, "finish");
  expect(cursor, ":");
  const seconds = hours * 3600 + minutes * 60 + takeUnsigned(cursor, "finish");
  return Number.isSafeInteger(seconds) ? seconds : refuse("the time to the finish is above 2^53");
}

/**
 * KiB/s, grouped by commas. Unset above 2^53: 8.4 subtracts unsigned, so a resync that loses ground prints rubbish
 * of 20 digits, and the rest of the line is still right.
 */
function speed(cursor: Cursor): number | undefined {
  skipBlanks(cursor);
  const { text, end } = cursor;
  const negative = text.charCodeAt(cursor.at) === MINUS;
  if (negative) cursor.at++;
  let value = 0;
  let digits = 0;
  for (; cursor.at < end; cursor.at++) {
    const code = text.charCodeAt(cursor.at);
    if (code === COMMA && digits > 0) continue;
    if (!isDigit(code)) break;
    value = value * 10 + (code - 48);
    digits++;
  }
  if (digits === 0) refuse(`the speed is not a number: ${rest(cursor)}`);
  if (!Number.isSafeInteger(value)) return undefined;
  return negative ? 0 - value : value;
}

/** `20%      52568/255983`: a verify of 8.2 to 8.3.8, in blocks of 4 KiB that are done. @param cursor at its beginning */
export function parseBlocksDone(cursor: Cursor): ResyncProgress {
  const donePercent = takeUnsigned(cursor, "percent");
  expect(cursor, "%");
  skipBlanks(cursor);
  const done = takeUnsigned(cursor, "done");
  expect(cursor, "/");
  const total = takeUnsigned(cursor, "total");
  expectEnd(cursor);
  if (donePercent > 100 || done > total) refuse("more is done than there is");
  const left = inKib(total - done, KIB_PER_BLOCK);
  return startedProgress(true, donePercent, left, inKib(total, KIB_PER_BLOCK), KIB_PER_BLOCK);
}

/** 8.3.8 only: "queue_delay: 0.0 ms", or "delay_probe: 145637" behind the unit. */
function takeQueueDelay(cursor: Cursor): void {
  if (accept(cursor, "delay_probe:")) {
    skipBlanks(cursor);
    takeSigned(cursor, "delay_probe");
  }
  if (!accept(cursor, "queue_delay:")) return;
  skipBlanks(cursor);
  takeSigned(cursor, "queue_delay");
  expect(cursor, ".");
  takeUnsigned(cursor, "queue_delay");
  expect(cursor, "ms");
}

function startedProgress(
  verify: boolean,
  donePercent: number,
  leftKib: number,
  totalKib: number,
  leftResolutionKib: number,
): ResyncProgress {
  return {
    verify,
    donePercent,
    leftKib,
    totalKib,
    leftResolutionKib,
    finishS: undefined,
    speedKibPerS: undefined,
    averageSpeedKibPerS: undefined,
    wantKibPerS: undefined,
    kernelSaysStalled: false,
  };
}
