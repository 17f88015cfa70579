/**
 * The second line of a minor in /proc/drbd:
 * `    ns:0 nr:4 dw:4 dr:0 al:0 bm:1 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0`; 8.0 ends it after `ap:`.
 * The order is the kernel's own, so a key that is missing, twice or in another place is a damaged line.
 */
import { WriteOrdering, type DrbdMinor } from "@vigie/proto";
import { accept, expect, expectEnd, quote, refuse, takeSigned, takeToken, takeUnsigned } from "./cursor.js";
import type { Cursor } from "./cursor.js";

const ORDERINGS: ReadonlyMap<string, WriteOrdering> = new Map([
  ["n", WriteOrdering.NONE],
  ["d", WriteOrdering.DRAIN],
  ["f", WriteOrdering.FLUSH],
  ["b", WriteOrdering.BARRIER],
]);
const INT32_LIMIT = 2 ** 31;
const UINT32_MAX = 2 ** 32 - 1;

/**
 * @param cursor at "ns:"
 * @param everyCounter 8.3 and later never leave out `ep:`, `wo:` and `oos:`
 * @throws VigieError PARSE_FAILED; the minor is then half filled, and to be thrown away
 */
export function parseCounters(minor: DrbdMinor, cursor: Cursor, everyCounter: boolean): void {
  minor.networkSentKib = counter(cursor, "ns:");
  minor.networkReceivedKib = counter(cursor, "nr:");
  minor.diskWrittenKib = counter(cursor, "dw:");
  minor.diskReadKib = counter(cursor, "dr:");
  minor.activityLogUpdates = counter(cursor, "al:");
  minor.bitmapUpdates = counter(cursor, "bm:");
  minor.localCount = gauge(cursor, "lo:");
  minor.pending = gauge(cursor, "pe:");
  minor.unacknowledged = gauge(cursor, "ua:");
  minor.applicationPending = gauge(cursor, "ap:");
  if (next(cursor, "ep:", everyCounter)) minor.epochs = epochs(cursor);
  if (next(cursor, "wo:", everyCounter)) minor.writeOrdering = ordering(cursor);
  if (next(cursor, "oos:", everyCounter)) minor.outOfSyncKib = takeUnsigned(cursor, "oos:");
  expectEnd(cursor);
}

function next(cursor: Cursor, key: string, required: boolean): boolean {
  if (!required) return accept(cursor, key);
  expect(cursor, key);
  return true;
}

function counter(cursor: Cursor, key: string): number {
  expect(cursor, key);
  return takeUnsigned(cursor, key);
}

/** Printed as %d. */
function gauge(cursor: Cursor, key: string): number {
  expect(cursor, key);
  const value = takeSigned(cursor, key);
  return value >= -INT32_LIMIT && value < INT32_LIMIT ? value : refuse(`${key} ${value} is no 32-bit number`);
}

function epochs(cursor: Cursor): number {
  const value = takeUnsigned(cursor, "ep:");
  return value <= UINT32_MAX ? value : refuse(`ep: ${value} is no 32-bit number`);
}

function ordering(cursor: Cursor): WriteOrdering {
  const letter = takeToken(cursor);
  return ORDERINGS.get(letter) ?? refuse(`unknown write ordering ${quote(letter)}`);
}
