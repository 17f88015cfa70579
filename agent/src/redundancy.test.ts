import { ConnectionState, DiskState, DrbdMinor } from "@vigie/proto";
import { expect, test } from "vitest";
import { redundantFor, trackRedundancy } from "./redundancy.js";

const whole = (minor: number, change: Partial<DrbdMinor> = {}): DrbdMinor =>
  DrbdMinor.create({
    minor,
    connection: ConnectionState.CONNECTED,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.UP_TO_DATE,
    outOfSyncKib: 0,
    ...change,
  });

test("a mirror is whole since the first reading that saw it so, without a break", () => {
  let since = trackRedundancy(new Map(), [whole(0)], 1_000);
  since = trackRedundancy(since, [whole(0), whole(1)], 2_000);
  expect(redundantFor(since, 12_000)).toEqual([
    { minor: 0, redundantMs: 11_000 },
    { minor: 1, redundantMs: 10_000 },
  ]);
});

test("a verify is no break: it compares the two copies, and both get what is written", () => {
  const since = trackRedundancy(new Map(), [whole(0)], 1_000);
  const verifying = trackRedundancy(since, [whole(0, { connection: ConnectionState.VERIFY_S })], 50_000);
  expect(redundantFor(verifying, 51_000)).toEqual([{ minor: 0, redundantMs: 50_000 }]);
});

test.each<[string, DrbdMinor[]]>([
  ["that resyncs", [whole(0, { connection: ConnectionState.SYNC_SOURCE })]],
  ["that lost its link", [whole(0, { connection: ConnectionState.WF_CONNECTION })]],
  ["whose disk is gone", [whole(0, { disk: DiskState.DISKLESS })]],
  ["whose peer's disk is not whole", [whole(0, { peerDisk: DiskState.INCONSISTENT })]],
  ["with 4 KiB out of sync", [whole(0, { outOfSyncKib: 4 })]],
  ["whose oos is not printed", [whole(0, { outOfSyncKib: undefined })]],
  ["that is damaged, or not listed, or not read", []],
])("one %s for one reading begins anew", (_what, minors) => {
  let since = trackRedundancy(new Map(), [whole(0)], 1_000);
  since = trackRedundancy(since, minors, 50_000);
  expect(redundantFor(since, 50_000)).toEqual([]);
  since = trackRedundancy(since, [whole(0)], 51_000);
  expect(redundantFor(since, 52_000)).toEqual([{ minor: 0, redundantMs: 1_000 }]);
});
