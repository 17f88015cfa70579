/** The observer in virtual time: its pace, what it tells as changed, and sources that hang (I37). */
import {
  ConnectionState,
  DrbdFacts,
  DrbdMinor,
  Source,
  SourceState,
  SsconfFacts,
  type SourceReport,
} from "@vigie/proto";
import { beforeEach, describe, expect, test } from "vitest";
import { createObserver, forgetSent, nothingSent, type Observer } from "../../agent/src/observe.js";
import type { Reading, SourceDefinition } from "../../agent/src/sources/source.js";
import { fakeHost } from "../../agent/src/sources/testing.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";

let clock: VirtualClock;
let minors: DrbdMinor[];
let damaged: number[];
let reads: { drbd: number; ssconf: number };
let hang: Promise<void> | undefined;
let problem: string;
let observer: Observer;
let stop: AbortController;

const minor = (number: number, sentKib = 0): DrbdMinor =>
  DrbdMinor.create({
    minor: number,
    connection: ConnectionState.SYNC_SOURCE,
    outOfSyncKib: 4,
    networkSentKib: sentKib,
  });

beforeEach(() => {
  clock = createVirtualClock();
  minors = [minor(0), minor(1)];
  damaged = [];
  reads = { drbd: 0, ssconf: 0 };
  hang = undefined;
  problem = "";
  stop = new AbortController();
  const drbd: SourceDefinition = {
    source: Source.PROC_DRBD,
    periodMs: 1_000,
    deadlineMs: 800,
    read: readDrbd,
  };
  const ssconf: SourceDefinition = {
    source: Source.SSCONF,
    periodMs: 5_000,
    deadlineMs: 1_000,
    read: async () => {
      reads.ssconf += 1;
      return {
        state: "ok",
        facts: { $case: "ssconf", value: SsconfFacts.create({ masterNode: "h1" }) },
        damaged: [],
      };
    },
  };
  observer = createObserver({ ...fakeHost({}), ...clock }, [drbd, ssconf]);
});

async function readDrbd(): Promise<Reading> {
  reads.drbd += 1;
  await hang;
  if (problem !== "") throw new Error(problem);
  return {
    state: "ok",
    facts: { $case: "drbd", value: DrbdFacts.create({ version: "8.4.11", minors }) },
    damaged: damaged.map((number) => ({ line: 3, reason: "torn", minor: number, object: "" })),
  };
}

function drbdOf(
  reports: readonly SourceReport[],
): { delta: boolean; minors: number[]; gone: number[] } | undefined {
  const report = reports.find(({ source }) => source === Source.PROC_DRBD);
  if (report === undefined) return undefined;
  const listed = report.facts?.$case === "drbd" ? report.facts.value.minors.map((m) => m.minor) : [];
  return { delta: report.delta, minors: listed, gone: report.goneMinors };
}

test("each source is read at its own pace, until the agent stops", async () => {
  observer.start(stop.signal);
  await clock.advance(10_500);
  expect(reads).toEqual({ drbd: 11, ssconf: 3 });
  stop.abort();
  await clock.advance(10_000);
  expect(reads.drbd).toBe(11);
});

test("each reading of /proc/drbd paces a report, also one that failed", async () => {
  let ticks = 0;
  observer.onTick = () => (ticks += 1);
  observer.start(stop.signal);
  await clock.advance(2_500);
  problem = "EIO";
  await clock.advance(2_000);
  expect(ticks).toBe(5);
});

describe("what changed", () => {
  const sent = nothingSent();
  beforeEach(async () => {
    sent.bodies.clear();
    sent.minors.clear();
    await observer.readNow(Source.PROC_DRBD);
    await observer.readNow(Source.SSCONF);
  });
  const next = async () => {
    await clock.advance(1_000);
    await observer.readNow(Source.PROC_DRBD);
    return observer.changes(sent);
  };

  test("is everything the first time, whole", () => {
    const { sources, unchanged } = observer.changes(sent);
    expect(sources).toHaveLength(2);
    expect(drbdOf(sources)).toEqual({ delta: false, minors: [0, 1], gone: [] });
    expect(unchanged).toEqual([]);
  });

  test("is nothing where all is as before, but the readings are newer", async () => {
    observer.changes(sent);
    const { sources, unchanged } = await next();
    expect(sources).toEqual([]);
    const newest = unchanged.find(({ source }) => source === Source.PROC_DRBD);
    expect(newest?.monotonicMs).toBe(clock.monotonicMs());
  });

  test("is the minors that changed, and those that are gone", async () => {
    observer.changes(sent);
    minors = [minor(0), minor(1, 64)];
    expect(drbdOf((await next()).sources)).toEqual({ delta: true, minors: [1], gone: [] });
    minors = [minor(1, 64), minor(2)];
    expect(drbdOf((await next()).sources)).toEqual({ delta: true, minors: [2], gone: [0] });
  });

  test("of a minor that is not understood any more is that it is damaged, and not listed", async () => {
    observer.changes(sent);
    minors = [minor(0)];
    damaged = [1];
    const { sources } = await next();
    expect(drbdOf(sources)).toEqual({ delta: true, minors: [], gone: [1] });
    expect(sources[0]?.damaged).toHaveLength(1);
  });

  test("after a reading that failed is everything again, whole", async () => {
    observer.changes(sent);
    problem = "EIO";
    expect((await next()).sources[0]).toMatchObject({ state: SourceState.FAILED, reason: "EIO" });
    problem = "";
    expect(drbdOf((await next()).sources)).toEqual({ delta: false, minors: [0, 1], gone: [] });
  });

  test("is everything again for a session that nothing was sent to", async () => {
    observer.changes(sent);
    await next();
    expect(observer.changes(nothingSent()).sources).toHaveLength(2);
  });

  test("is told whole after the source was sent outside the reports: they differ from what was sent last", async () => {
    observer.changes(sent);
    minors = [minor(0)]; // seen by an ObserveNow only: by the next report it is as before
    await observer.readNow(Source.PROC_DRBD);
    forgetSent(sent, Source.PROC_DRBD);
    minors = [minor(0), minor(1)];
    expect(drbdOf((await next()).sources)).toEqual({ delta: false, minors: [0, 1], gone: [] });
  });
});

describe("a source that hangs", () => {
  let end: () => void;
  beforeEach(async () => {
    observer.start(stop.signal);
    await clock.advance(500);
    hang = new Promise((resolve) => (end = resolve));
  });

  test("counts as failed at its deadline, and holds nobody else", async () => {
    await clock.advance(1_400);
    expect(observer.latest(Source.PROC_DRBD)).toMatchObject({
      state: SourceState.FAILED,
      reason: expect.stringContaining("hangs"),
    });
    await clock.advance(10_000);
    expect(reads.ssconf).toBe(3);
  });

  test("is not begun again until it ends", async () => {
    await clock.advance(20_000);
    expect(reads.drbd).toBe(2);
    hang = undefined;
    end();
    await clock.advance(2_000);
    expect(reads.drbd).toBeGreaterThan(2);
    expect(observer.latest(Source.PROC_DRBD)?.state).toBe(SourceState.OK);
  });

  test("is answered as failed to who asks for it now, whether it is late already or not yet", async () => {
    await clock.advance(600); // it has begun, and is not late
    const early = observer.readNow(Source.PROC_DRBD);
    await clock.advance(5_000);
    const late = observer.readNow(Source.PROC_DRBD);
    await clock.advance(1);
    const states = await Promise.race([Promise.all([early, late]), clock.sleep(1).then(() => [])]);
    expect(states.map(({ state }) => state)).toEqual([SourceState.FAILED, SourceState.FAILED]);
  });

  test("is as old as when it began to hang, however often it is asked", async () => {
    await clock.advance(10_000);
    const first = observer.latest(Source.PROC_DRBD)?.monotonicMs ?? 0;
    await clock.advance(10_000);
    expect(observer.latest(Source.PROC_DRBD)?.monotonicMs).toBe(first);
  });
});

test("who asks now gets a reading that began after the question", async () => {
  let end: () => void = () => undefined;
  hang = new Promise((resolve) => (end = resolve));
  observer.start(stop.signal);
  await clock.advance(100);
  const asked = observer.readNow(Source.PROC_DRBD);
  hang = undefined;
  minors = [minor(5)];
  const askedAtMs = clock.monotonicMs();
  end();
  await clock.advance(1);
  const report = await asked;
  expect(report.monotonicMs).toBeGreaterThanOrEqual(askedAtMs);
  expect(drbdOf([report])?.minors).toEqual([5]);
});

test("a source that this agent does not have is absent, not empty", async () => {
  expect(await observer.readNow(Source.LVM)).toMatchObject({ state: SourceState.ABSENT });
});

test("how long a resync stands grows between readings, and only while it stands", async () => {
  observer.start(stop.signal);
  await clock.advance(3_500);
  expect(observer.stillness()).toEqual([
    { minor: 0, stillMs: 3_500, sinceWatched: true },
    { minor: 1, stillMs: 3_500, sinceWatched: true },
  ]);
  minors = [minor(0, 64), minor(1)];
  await clock.advance(1_000);
  expect(observer.stillness()).toEqual([
    { minor: 0, stillMs: 500, sinceWatched: false },
    { minor: 1, stillMs: 4_500, sinceWatched: true },
  ]);
});

test("a text of which thousands of lines are not understood is no reading: it is failed, and its report is short", async () => {
  damaged = Array.from({ length: 5_000 }, (_, number) => number);
  const report = await observer.readNow(Source.PROC_DRBD);
  expect(report).toMatchObject({
    state: SourceState.FAILED,
    reason: "5000 lines of it are not understood",
    damaged: [],
    facts: undefined,
  });
});
