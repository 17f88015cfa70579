/** The journal of an agent that runs for months: what is kept, what is proven, and a crash at any point between. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ActionOutcome, ActionResult, CHAIN_START, VigieError } from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { REAL_DISK, type Disk } from "./journal-disk.js";
import { KEPT_DAYS, openJournal, type Journal } from "./journal.js";

const DAY_MS = 86_400_000;
const UNSYNCED: Disk = { ...REAL_DISK, sync: () => undefined, syncFolder: () => undefined };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-checkpoint-"));
  path = join(folder, "journal");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keyOf = (day: number): string => `r-${day}/cut-link/1`;

/** What is done in one day, and then its checkpoint. */
function live(journal: Journal, day: number, actions = 1): string {
  for (let n = 0; n < actions; n += 1) {
    const key = n === 0 ? keyOf(day) : `r-${day}-${n}/cut-link/1`;
    const detail = { guard: "g".repeat(2_000) };
    journal.append({ kind: "intent", key, body: "b", action: "cutDrbdLink", detail }, day * DAY_MS);
    const result = ActionResult.create({ runId: `r-${day}`, outcome: ActionOutcome.DONE });
    journal.append({ kind: "result", key, body: "b", result }, day * DAY_MS);
  }
  return journal.checkpoint(day * DAY_MS);
}

function lived(days: number, disk = UNSYNCED): Journal {
  const journal = openJournal(path, disk);
  journal.append({ kind: "epoch", epoch: 7 }, 0);
  journal.append({ kind: "stop", stop: { number: 3, why: "storm" } }, 0);
  journal.append({ kind: "intent", key: "r-open/detach/1", body: "o", action: "detachMinor", detail: {} }, 5);
  for (let day = 1; day <= days; day += 1) live(journal, day);
  return journal;
}

/** All that an agent relies on. */
function known(journal: Journal, days: number) {
  return {
    head: journal.head(),
    records: journal.records(),
    epoch: journal.highestEpoch(),
    stop: journal.stop(),
    open: journal.keyState("r-open/detach/1"),
    keys: Array.from({ length: days }, (_, day) => journal.keyState(keyOf(day + 1))),
    broken: journal.broken(),
  };
}

test("after ninety days with a run an hour the file holds thirty of them, as it did after thirty-one", () => {
  const journal = openJournal(path, UNSYNCED);
  const sizes = new Map<number, number>();
  for (let day = 1; day <= 90; day += 1) {
    expect(live(journal, day, 24)).toBe("");
    sizes.set(day, statSync(path).size);
  }
  expect(sizes.get(90)).toBeLessThan(1.01 * (sizes.get(31) ?? 0));
  expect(sizes.get(90)).toBeGreaterThan(0.99 * (sizes.get(31) ?? 0));
  expect(journal.records()).toBe(90 * (24 * 2 + 1));
  expect(journal.keyState(keyOf(90 - KEPT_DAYS))).toEqual({ state: "new" });
  for (let day = 91 - KEPT_DAYS; day <= 90; day += 1)
    expect(journal.keyState(keyOf(day))).toMatchObject({
      state: "finished",
      result: { runId: `r-${day}` },
    });
});

test("what is opened again knows the same, and proves the chain from the checkpoint that is its first record (I39)", () => {
  const journal = lived(45);
  const before = known(journal, 45);
  journal.close();
  const again = openJournal(path, UNSYNCED);
  expect(known(again, 45)).toEqual(before);
  expect(before).toMatchObject({ epoch: 7, stop: { number: 3 }, broken: "", records: 3 + 45 * 3 });
  const first = readFileSync(path, "utf8").split("\n")[0] ?? "";
  expect(first).toMatch(
    /^[0-9a-f]{64} \{"unixMs":\d+,"entry":\{"kind":"checkpoint","after":\{"records":\d+,"head":"[0-9a-f]{64}"/,
  );
  expect(live(again, 46)).toBe("");
  expect(again.broken()).toBe("");
});

test("a key that was begun and has no result is kept however old it is: it is never begun again (I22)", () => {
  const journal = lived(80);
  const open = { state: "unfinished", body: "o", sinceUnixMs: 5 };
  expect(journal.keyState("r-open/detach/1")).toEqual(open);
  journal.close();
  expect(openJournal(path, UNSYNCED).keyState("r-open/detach/1")).toEqual(open);
});

test("a wall clock that leaps by a year forgets nothing: days are counted in checkpoints (I23, I27)", () => {
  const journal = lived(20);
  expect(journal.checkpoint(400 * DAY_MS)).toBe("");
  expect(journal.checkpoint(800 * DAY_MS)).toBe("");
  expect(journal.keyState(keyOf(1))).toMatchObject({ state: "finished" });
});

test.each([
  ["the number of records before it", (line: string) => line.replace('"records":', '"records":1')],
  ["the hash before it", (line: string) => line.replace(/"head":"./, '"head":"f')],
  ["its epoch", (line: string) => line.replace('"epoch":7', '"epoch":1')],
  ["its own hash", (line: string) => `${line.startsWith("0") ? "1" : "0"}${line.slice(1)}`],
])("a first checkpoint whose %s was changed breaks the journal (I39)", (_what, change) => {
  lived(40).close();
  const [first = "", ...others] = readFileSync(path, "utf8").split("\n");
  expect(change(first)).not.toBe(first);
  writeFileSync(path, [change(first), ...others].join("\n"));
  expect(openJournal(path, UNSYNCED).broken()).toContain("is not what was written");
});

test("a record that was taken out behind the checkpoint breaks it, too", () => {
  lived(40).close();
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, lines.toSpliced(3, 1).join("\n"));
  expect(openJournal(path, UNSYNCED).broken()).toContain("is not what was written");
});

test("the new file is synced before it gets the name, and the folder before anything is written behind it", () => {
  const order: string[] = [];
  const noting: Disk = {
    write: (file, text) => (order.push("write"), REAL_DISK.write(file, text)),
    sync: () => void order.push("sync"),
    copy: (from, at, to) => (order.push("copy"), REAL_DISK.copy(from, at, to)),
    rename: (from, to) => (order.push("rename"), REAL_DISK.rename(from, to)),
    syncFolder: () => void order.push("sync folder"),
  };
  const journal = lived(KEPT_DAYS, noting);
  order.length = 0;
  journal.checkpoint(31 * DAY_MS);
  expect(order).toEqual(["write", "sync", "copy", "sync", "rename", "sync folder"]);
});

describe("the power goes, or the disk fails, in the middle of a checkpoint", () => {
  /** Some of what is known is one day older than thirty then. */
  const kept = (journal: Journal) => ({
    ...known(journal, KEPT_DAYS),
    keys: known(journal, KEPT_DAYS).keys.slice(1),
  });
  const STEPS = ["write", "sync", "copy", "copy half", "sync copy", "rename", "rename done", "sync folder"];

  /** Ends at that step: before it has done anything, or after half or all of it. */
  function failingAt(step: string): Disk {
    let failing = false;
    let syncs = 0;
    const at = (name: string, work: () => void): void => {
      if (failing && step === name) throw new Error(`EIO at ${name}`);
      work();
    };
    return {
      write: (file, text) => {
        failing = text.includes(`"unixMs":${31 * DAY_MS},"entry":{"kind":"checkpoint"`);
        if (failing && step === "write") throw new Error("EIO at write");
        return REAL_DISK.write(file, text);
      },
      sync: () => at(failing && syncs++ > 0 ? "sync copy" : "sync", () => undefined),
      copy: (from, start, to) =>
        at("copy", () => {
          REAL_DISK.copy(from, start + (failing && step === "copy half" ? 5_000 : 0), to);
          at("copy half", () => undefined);
        }),
      rename: (from, to) =>
        at("rename", () => {
          REAL_DISK.rename(from, to);
          at("rename done", () => undefined);
        }),
      syncFolder: () => at("sync folder", () => undefined),
    };
  }

  test.each(STEPS)("at %s: the next start knows all that was known, and goes on", (step) => {
    const journal = lived(KEPT_DAYS, failingAt(step));
    const before = kept(journal);
    try {
      journal.checkpoint(31 * DAY_MS);
    } catch (error) {
      expect(error).toMatchObject({ code: "JOURNAL_BROKEN" });
    }
    const again = openJournal(path, UNSYNCED);
    const { head, records, ...rest } = kept(again);
    const { head: headBefore, records: recordsBefore, ...restBefore } = before;
    expect(rest).toEqual(restBefore);
    if (step === "write") expect([head, records]).toEqual([headBefore, recordsBefore]);
    else expect(records).toBe(recordsBefore + 1);
    expect(existsSync(`${path}.next`)).toBe(false);
    expect(live(again, 32)).toBe("");
    again.close();
    expect(openJournal(path, UNSYNCED).keyState(keyOf(32))).toMatchObject({ state: "finished" });
  });

  test.each(["copy", "copy half", "sync copy"])(
    "at %s: this life goes on with the file as it was, says so, and tries again the next day",
    (step) => {
      const journal = lived(KEPT_DAYS, failingAt(step));
      expect(journal.checkpoint(31 * DAY_MS)).toMatch(/could not be shortened: EIO/);
      expect(journal.broken()).toBe("");
      expect(live(journal, 32)).toBe("");
      expect(journal.keyState(keyOf(32))).toMatchObject({ state: "finished" });
      expect(journal.keyState(keyOf(1))).toEqual({ state: "new" });
    },
  );

  test.each(["rename", "rename done", "sync folder"])(
    "at %s nobody knows which file has the name after a power cut: nothing more is written (I24)",
    (step) => {
      const journal = lived(KEPT_DAYS, failingAt(step));
      expect(() => journal.checkpoint(31 * DAY_MS)).toThrow(VigieError);
      expect(journal.broken()).toContain("cannot be written");
      expect(journal.keyState(keyOf(30))).toMatchObject({ state: "finished" });
      expect(() => journal.append({ kind: "epoch", epoch: 8 }, 0)).toThrow(VigieError);
    },
  );
});

test("the file as it was before the cut, and the one after it, are one chain: both end in the same hash", () => {
  const journal = lived(KEPT_DAYS);
  copyFileSync(path, join(folder, "before"));
  journal.checkpoint(31 * DAY_MS);
  const whole = openJournal(join(folder, "before"), UNSYNCED);
  expect(whole.checkpoint(31 * DAY_MS)).toBe("");
  expect(whole.head()).toBe(journal.head());
  expect(whole.head()).not.toBe(CHAIN_START);
});
