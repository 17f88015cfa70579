import { VigieError, type Clock, type WatchResponse } from "@vigie/proto";
import { expect, test } from "vitest";
import { createRecorder } from "./recorder.js";
import type { Change, Store } from "./store.js";

const CHANGE: Change = { record: "epoch", epoch: 1 };

interface Stage {
  readonly commits: number[]; // how many changes each had
  readonly published: WatchResponse[];
  readonly recorder: ReturnType<typeof createRecorder>;
  fail: string;
  locked: string;
  nowMs: number;
}

function stage(publish?: () => void): Stage {
  const it = { commits: [] as number[], published: [] as WatchResponse[], fail: "", locked: "", nowMs: 0 };
  const clock: Clock = {
    monotonicMs: () => it.nowMs,
    wallUnixMs: () => 0,
    sleep: (ms) => {
      it.nowMs += ms;
      return new Promise((resolve) => setImmediate(resolve));
    },
  };
  const store = {
    commit: async (changes: readonly Change[]) => {
      if (it.fail !== "") throw new VigieError("JOURNAL_BROKEN", it.fail);
      if (it.locked !== "") throw new VigieError("UNAVAILABLE", it.locked);
      it.commits.push(changes.length);
      return changes.map(() => ({ cursor: it.commits.length }) as WatchResponse);
    },
  } as unknown as Store;
  const recorder = createRecorder(store, clock, (events) => {
    publish?.();
    it.published.push(...events);
  });
  return Object.assign(it, { recorder });
}

test("what is recorded while a commit waits goes into that one commit", async () => {
  const { recorder, commits } = stage();
  await Promise.all([1, 2, 3].map(() => recorder.record([CHANGE])));
  expect(commits).toEqual([3]);
  await recorder.record([CHANGE, CHANGE]);
  expect(commits).toEqual([3, 2]);
});

test("an acknowledgement comes after the commit, never before", async () => {
  const { recorder, commits } = stage();
  let kept = -1;
  await recorder.record([CHANGE]).then(() => (kept = commits.length));
  expect(kept).toBe(1);
});

test("watchers are told what is on disk, and only that", async () => {
  const it = stage();
  await it.recorder.record([CHANGE]);
  expect(it.published).toHaveLength(1);
  it.fail = "disk full";
  await it.recorder.record([CHANGE]).catch(() => undefined);
  expect(it.published).toHaveLength(1);
});

test("a commit that failed is final: everything waiting and later is refused, also when there is room again (I24)", async () => {
  const it = stage();
  it.fail = "disk full";
  const outcomes = await Promise.allSettled([it.recorder.record([CHANGE]), it.recorder.record([CHANGE])]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  it.fail = "";
  await expect(it.recorder.record([CHANGE])).rejects.toMatchObject({ code: "JOURNAL_BROKEN" });
  expect(it.recorder.broken()).toContain("disk full");
  expect(it.commits).toEqual([]);
});

test("what another process locks out is kept once it is let in, and meanwhile it is said why nothing can be", async () => {
  const it = stage();
  it.locked = "vigie.db is locked by another process";
  const kept = it.recorder.record([CHANGE]);
  while (it.nowMs < 10_000) await new Promise((resolve) => setImmediate(resolve));
  expect(it.recorder.broken()).toBe(it.locked);
  it.locked = "";
  await kept;
  expect([it.commits, it.recorder.broken()]).toEqual([[1], ""]);
});

test("nothing to keep is no commit", async () => {
  const { recorder, commits } = stage();
  await recorder.record([]);
  expect([commits, recorder.broken()]).toEqual([[], ""]);
});

test("a watcher that throws does not stop the record", async () => {
  const { recorder, commits } = stage(() => {
    throw new Error("the watcher's own fault");
  });
  await recorder.record([CHANGE]);
  await recorder.record([CHANGE]);
  expect(commits).toEqual([1, 1]);
  expect(recorder.broken()).toBe("");
});
