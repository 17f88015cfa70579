/**
 * Scanning by hand, for the one text that is read every second on every node. A regular expression a line costs
 * three times as much (128 minors in 0.3 ms is the budget), and tells less about what was wrong.
 */
import { VigieError } from "@vigie/proto";

/** A place in one line of a longer text. Scanning moves `at`. */
export interface Cursor {
  readonly text: string;
  at: number;
  readonly end: number; // of the line, its line end left out
}

const QUOTED_LENGTH = 40;
const TAB = 9;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;
const MINUS = 45;

/** @throws VigieError PARSE_FAILED, always: the reason is for people, lower case */
export function refuse(reason: string): never {
  throw new VigieError("PARSE_FAILED", reason);
}

/** A token in a reason: quoted, its control characters escaped, cut short. */
export function quote(token: string): string {
  return JSON.stringify(token.length > QUOTED_LENGTH ? `${token.slice(0, QUOTED_LENGTH)}…` : token);
}

export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export function skipBlanks(cursor: Cursor): void {
  const { text, end } = cursor;
  let { at } = cursor;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  cursor.at = at;
}

/** The literal is next: step over it, and the blanks before it. */
export function accept(cursor: Cursor, literal: string): boolean {
  skipBlanks(cursor);
  const after = cursor.at + literal.length;
  if (after > cursor.end || !cursor.text.startsWith(literal, cursor.at)) return false;
  cursor.at = after;
  return true;
}

export function expect(cursor: Cursor, literal: string): void {
  if (!accept(cursor, literal)) refuse(`expected ${quote(literal)} at ${rest(cursor)}`);
}

export function expectEnd(cursor: Cursor): void {
  skipBlanks(cursor);
  if (cursor.at < cursor.end) refuse(`unexpected text ${rest(cursor)}`);
}

/** Characters up to a blank, `stop`, or the end of the line. */
export function takeToken(cursor: Cursor, stop: number = SPACE): string {
  const { text, at, end } = cursor;
  let after = at;
  for (; after < end; after++) {
    const code = text.charCodeAt(after);
    if (code === stop || isBlank(code)) break;
  }
  cursor.at = after;
  return text.slice(at, after);
}

/** An unsigned number of digits; `what` names it in the refusal. */
export function takeUnsigned(cursor: Cursor, what: string): number {
  const { text, at, end } = cursor;
  let value = 0;
  let after = at;
  for (; after < end; after++) {
    const code = text.charCodeAt(after);
    if (!isDigit(code)) break;
    value = value * 10 + (code - ZERO);
  }
  if (after === at) refuse(`${what} is not a number: ${rest(cursor)}`);
  if (value > Number.MAX_SAFE_INTEGER) refuse(`${what} is above 2^53: ${rest(cursor)}`);
  cursor.at = after;
  return value;
}

export function takeSigned(cursor: Cursor, what: string): number {
  if (cursor.text.charCodeAt(cursor.at) !== MINUS) return takeUnsigned(cursor, what);
  cursor.at++;
  return 0 - takeUnsigned(cursor, what);
}

/** What is left of the line, quoted. */
export function rest(cursor: Cursor): string {
  return cursor.at >= cursor.end ? "the end of the line" : quote(cursor.text.slice(cursor.at, cursor.end));
}
