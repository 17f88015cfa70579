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
import { describe, expect, test } from "vitest";
import { createObserver, nothingSent } from "./observe.js";
import type { Asked, SourceDefinition } from "./sources/source.js";
import { fakeHost } from "./sources/testing.js";

function holdersOf(read: (asked: Asked) => Promise<void>): SourceDefinition {
  return {
    source: Source.HOLDERS,
    periodMs: undefined,
    about: "minor",
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

describe("an orchestrator that asks without an end", () => {
  /** A source whose readings end when the test says so. */
  function asked() {
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    let atOnce = 0;
    let most = 0;
    const read = async ({ minor }: Asked): Promise<void> => {
      begun.push(minor);
      most = Math.max(most, (atOnce += 1));
      await new Promise<void>((resolve) => ends.push(resolve));
      atOnce -= 1;
    };
    const observer = createObserver(never, [holdersOf(read)]);
    const finish = async (): Promise<void> => {
      for (let quiet = 0; quiet < 3;) {
        for (const end of ends.splice(0)) end();
        await new Promise((resolve) => setImmediate(resolve));
        quiet = ends.length === 0 ? quiet + 1 : 0;
      }
    };
    return { observer, begun, finish, most: () => most };
  }

  test("about one minor has it read a few times, however many wait for it", async () => {
    const { observer, begun, finish } = asked();
    const answers = Array.from({ length: 5_000 }, (_, jobId) =>
      observer.readNow(Source.HOLDERS, { minor: 3, jobId }),
    );
    await finish();
    for (const report of await Promise.all(answers)) expect(report.state).toBe(SourceState.OK);
    expect(begun.length).toBeLessThan(10);
  });

  test("about five thousand minors has a few of them read at once, and is refused the rest with the reason (I38)", async () => {
    const { observer, begun, finish, most } = asked();
    const answers = Array.from({ length: 5_000 }, (_, minor) =>
      observer.readNow(Source.HOLDERS, { minor, jobId: 0 }),
    );
    await finish();
    const reports = await Promise.all(answers);
    expect(most()).toBe(8);
    expect(begun).toHaveLength(256);
    expect(reports.filter(({ state }) => state === SourceState.FAILED)).toHaveLength(5_000 - 256);
    expect(reports.at(-1)?.reason).toBe("256 other questions are not answered yet");
    const later = observer.readNow(Source.HOLDERS, { minor: 4_999, jobId: 0 });
    await finish();
    expect((await later).state).toBe(SourceState.OK);
  });
});
