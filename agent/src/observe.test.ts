/** Sources that are read only when asked for (their pace and what changed of the others: test/unit/observe.test.ts). */
import {
  ConnectionState,
  DiskState,
  DrbdFacts,
  DrbdMinor,
  HolderFacts,
  Source,
  SourceState,
} from "@vigie/proto";
import { expect, test } from "vitest";
import { createObserver, nothingSent } from "./observe.js";
import type { Asked, SourceDefinition } from "./sources/source.js";
import { fakeHost } from "./sources/testing.js";

function holdersOf(read: (asked: Asked) => Promise<void>): SourceDefinition {
  return {
    source: Source.HOLDERS,
    periodMs: undefined,
    deadlineMs: 10,
    read: async (_host, asked = { minor: -1, jobId: 0 }) => {
      await read(asked);
      const value = HolderFacts.create({ minor: asked.minor });
      return { state: "ok", facts: { $case: "holders", value }, damaged: [] };
    },
  };
}

const never = { ...fakeHost({}), sleep: () => new Promise<void>(() => undefined) };

test("two questions about two minors are two readings, also at once, and none is kept", async () => {
  const asked: number[] = [];
  const observer = createObserver(never, [holdersOf(async ({ minor }) => void asked.push(minor))]);
  const reports = await Promise.all(
    [18, 19].map((minor) => observer.readNow(Source.HOLDERS, { minor, jobId: 0 })),
  );
  expect(reports.map(({ facts }) => facts?.$case === "holders" && facts.value.minor)).toEqual([18, 19]);
  expect(asked).toEqual([18, 19]);
  expect(observer.latest(Source.HOLDERS)).toBeUndefined();
  expect(observer.changes(nothingSent())).toEqual({ sources: [], unchanged: [] });
});

test("one that hangs for a minor is answered as failed, is not begun again, and holds no other minor", async () => {
  let begun = 0;
  const read = ({ minor }: Asked): Promise<void> =>
    minor === 18 ? ((begun += 1), new Promise<void>(() => undefined)) : Promise.resolve();
  const observer = createObserver(fakeHost({}), [holdersOf(read)]); // whose sleep ends at once
  for (let times = 0; times < 3; times += 1)
    expect(await observer.readNow(Source.HOLDERS, { minor: 18, jobId: 0 })).toMatchObject({
      state: SourceState.FAILED,
    });
  expect(begun).toBe(1);
  const other = createObserver(never, [holdersOf(read)]);
  expect(await other.readNow(Source.HOLDERS, { minor: 19, jobId: 0 })).toMatchObject({
    state: SourceState.OK,
  });
});

test("a source without a period is not read by itself", async () => {
  let reads = 0;
  const observer = createObserver(never, [holdersOf(async () => void (reads += 1))]);
  const stop = new AbortController();
  observer.start(stop.signal);
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(reads).toBe(0);
});

test("how long a mirror is whole grows by the readings of /proc/drbd", async () => {
  let nowMs = 0;
  const minor = DrbdMinor.create({
    minor: 18,
    connection: ConnectionState.CONNECTED,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.UP_TO_DATE,
    outOfSyncKib: 0,
  });
  const drbd: SourceDefinition = {
    source: Source.PROC_DRBD,
    periodMs: 1_000,
    deadlineMs: 800,
    read: async () => ({
      state: "ok",
      facts: { $case: "drbd", value: DrbdFacts.create({ minors: [minor] }) },
      damaged: [],
    }),
  };
  const observer = createObserver({ ...never, monotonicMs: () => nowMs }, [drbd]);
  await observer.readNow(Source.PROC_DRBD);
  nowMs = 10_000;
  await observer.readNow(Source.PROC_DRBD);
  expect(observer.redundancy()).toEqual([{ minor: 18, redundantMs: 10_000 }]);
  minor.outOfSyncKib = 4;
  await observer.readNow(Source.PROC_DRBD);
  expect(observer.redundancy()).toEqual([]);
});
