import { DrbdReasonKind } from "@vigie/proto";
import { expect, test } from "vitest";
import { kernelLogSource } from "./kernel-log.js";
import { fakeHost } from "./testing.js";

const { SPLIT_BRAIN, SPLIT_BRAIN_LOST, UNRELATED_DATA, LOCAL_IO_FAILED, NO_DATA } = DrbdReasonKind;

/** What is told after these lines; each is printed a second after the one before. */
async function told(...texts: readonly string[]): Promise<[number, DrbdReasonKind][]> {
  const records = texts.map((text, i) => `6,${i},${(i + 1) * 1_000_000},-;${text}`);
  const reading = await kernelLogSource().read(fakeHost({ kernelLog: () => records }));
  if (reading.state !== "ok" || reading.facts.$case !== "kernelLog") throw new Error("not read");
  return reading.facts.value.drbdReasons.map(({ minor, kind }) => [minor, kind]);
}

test.each([
  ["block drbd3: Split-Brain detected but unresolved, dropping connection!", SPLIT_BRAIN],
  ["block drbd3: Unrelated data, aborting!", UNRELATED_DATA],
  ["block drbd3: The peer's disk size is too small!", DrbdReasonKind.PEER_DISK_TOO_SMALL],
  ["drbd resource3: Authentication of peer failed, trying again.", DrbdReasonKind.AUTHENTICATION_FAILED],
  ["drbd resource3: incompatible after-sb-0pri settings", DrbdReasonKind.SETTINGS_DIFFER],
  ["block drbd3: Digest integrity check FAILED: 8192s +4096", DrbdReasonKind.DIGEST_FAILED],
  ["drbd resource3: [drbd_w_resource/811] sock_sendmsg time expired, ko = 6", DrbdReasonKind.KO_COUNT],
  ["drbd resource3: PingAck did not arrive in time.", DrbdReasonKind.PING_ACK],
  ["block drbd3: Local IO failed in request_timer_fn. Detaching...", LOCAL_IO_FAILED],
  ["block drbd3: IO ERROR: neither local nor remote data, sector 4456448+8", NO_DATA],
])("%s", async (text, kind) => {
  expect(await told(text)).toEqual([[3, kind]]);
});

test("a thousand lines of other minors do not push it out", async () => {
  const others = Array.from({ length: 1000 }, (_, i) => `block drbd${i + 10}: role( Primary -> Secondary ) `);
  expect(
    await told("block drbd3: Split-Brain detected but unresolved, dropping connection!", ...others),
  ).toEqual([[3, SPLIT_BRAIN]]);
});

test("it is over when the link stands again, by the device's line, and not by another minor's", async () => {
  const split = "block drbd3: Split-Brain detected but unresolved, dropping connection!";
  const connected = (minor: number): string =>
    `block drbd${minor}: peer( Unknown -> Secondary ) conn( WFReportParams -> Connected ) disk( Outdated -> UpToDate ) `;
  expect(await told(split, connected(3))).toEqual([]);
  expect(await told(split, connected(30))).toEqual([[3, SPLIT_BRAIN]]);
  expect(await told(split, connected(3), split)).toEqual([[3, SPLIT_BRAIN]]);
});

test("a change that did not come about ends nothing (DRBD 9 prints it in the same form)", async () => {
  const split = "drbd resource3/0 drbd3 h2: Split-Brain detected but unresolved, dropping connection!";
  expect(await told(split, "drbd resource3/0 drbd3 h2: Failed: repl( Off -> Established )")).toEqual([
    [3, SPLIT_BRAIN],
  ]);
});

test("a disk that failed is not whole again because its link stands", async () => {
  const failed = "block drbd3: Local IO failed in request_timer_fn. Detaching...";
  expect(await told(failed, "block drbd3: conn( WFReportParams -> Connected ) ")).toEqual([
    [3, LOCAL_IO_FAILED],
  ]);
  expect(await told(failed, "block drbd3: disk( Inconsistent -> UpToDate ) ")).toEqual([]);
});

test("that a peer falls silent does not hide why it dropped the link", async () => {
  const silent = "drbd resource3: PingAck did not arrive in time.";
  expect(await told("block drbd3: Unrelated data, aborting!", silent)).toEqual([[3, UNRELATED_DATA]]);
});

test("what DRBD decided by itself is told beside what came later, and ends with the minor", async () => {
  const solved = "block drbd3: Split-Brain detected, 1 primaries, automatically solved. Sync from peer node";
  const connected = "block drbd3: conn( WFReportParams -> Connected ) ";
  expect(await told(solved, connected)).toEqual([[3, SPLIT_BRAIN_LOST]]);
  expect(await told(solved, "drbd resource3: Starting worker thread (from drbdsetup-84 [811])")).toEqual([]);
});
