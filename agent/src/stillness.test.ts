import { ConnectionState, DrbdMinor } from "@vigie/proto";
import { expect, test } from "vitest";
import { stillFor, trackStillness, type Stillness } from "./stillness.js";

const SYNCING = DrbdMinor.create({
  minor: 18,
  connection: ConnectionState.SYNC_SOURCE,
  outOfSyncKib: 37_944,
  networkSentKib: 1000,
});

/** One reading a second, from second 0. */
function watch(readings: readonly DrbdMinor[]): number | undefined {
  let still: ReadonlyMap<number, Stillness> = new Map();
  readings.forEach((reading, second) => (still = trackStillness(still, [reading], second * 1000)));
  return stillFor(still, (readings.length - 1) * 1000)[0]?.stillMs;
}

test("a resync whose figures all stand is still since the first reading that showed them", () => {
  const moving = { ...SYNCING, outOfSyncKib: 40_000 };
  expect(watch([moving, SYNCING, SYNCING, SYNCING])).toBe(2000);
});

test("until it was seen to move, the figure says only for how long it was looked at", () => {
  const first = trackStillness(new Map(), [SYNCING], 0);
  expect(stillFor(first, 5_000)).toEqual([{ minor: 18, stillMs: 5_000, sinceWatched: true }]);
  const moved = trackStillness(first, [{ ...SYNCING, outOfSyncKib: 30_000 }], 6_000);
  expect(stillFor(moved, 7_000)).toEqual([{ minor: 18, stillMs: 1_000, sinceWatched: false }]);
  const stands = trackStillness(moved, [{ ...SYNCING, outOfSyncKib: 30_000 }], 20_000);
  expect(stillFor(stands, 20_000)).toEqual([{ minor: 18, stillMs: 14_000, sinceWatched: false }]);
});

test("a resync that moves 4 KiB in five seconds is slow, not still", () => {
  const readings = Array.from({ length: 11 }, (_, s) => ({
    ...SYNCING,
    outOfSyncKib: 40_000 - 4 * Math.floor(s / 5),
  }));
  expect(watch(readings)).toBeLessThan(5000);
});

test("a Primary that outruns its resync is not still, though oos grows", () => {
  const readings = Array.from({ length: 10 }, (_, s) => ({ ...SYNCING, outOfSyncKib: 40_000 + 100 * s }));
  expect(watch(readings)).toBe(0);
});

test("a guest that reads its own disk does not hide a dead link", () => {
  const readings = Array.from({ length: 10 }, (_, s) => ({ ...SYNCING, diskReadKib: 100 * s }));
  expect(watch(readings)).toBe(9000);
});

test("a guest that writes through a link at 100.0 %, oos:0, does not hide that the state was never left", () => {
  const readings = Array.from({ length: 10 }, (_, s) => ({
    ...SYNCING,
    outOfSyncKib: 0,
    networkSentKib: 64 * s,
  }));
  expect(watch(readings)).toBe(9000);
});

test("a paused resync and a link that does not resync are not tracked at all", () => {
  expect(watch([SYNCING, { ...SYNCING, resyncPausedByUser: true }])).toBeUndefined();
  expect(watch([SYNCING, { ...SYNCING, connection: ConnectionState.PAUSED_SYNC_S }])).toBeUndefined();
  expect(watch([SYNCING, { ...SYNCING, connection: ConnectionState.CONNECTED }])).toBeUndefined();
});

test("a resync whose own figures stand for half a minute is still, though a guest writes beside it", () => {
  const writing = (seconds: number) =>
    Array.from({ length: seconds + 1 }, (_, s) => ({
      ...SYNCING,
      networkSentKib: 64 * s,
      diskWrittenKib: 64 * s,
    }));
  expect(watch(writing(29))).toBe(0);
  expect(watch(writing(30))).toBe(30_000);
});
