import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ActionOutcome, ActionResult, CHAIN_START, VigieError } from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { REAL_DISK, type Disk } from "./journal-disk.js";
import { openJournal, type Journal } from "./journal.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-journal-"));
  path = join(folder, "state", "journal");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const KEY = "r-1/cut-link/1";
const INTENT = { kind: "intent", key: KEY, body: "b", action: "cutDrbdLink", detail: {} } as const;
const RESULT = {
  kind: "result",
  key: KEY,
  body: "b",
  result: ActionResult.create({ runId: "r-1", outcome: ActionOutcome.DONE, message: "né" }),
} as const;

/** A journal with one finished cut, and its epoch. */
function written(): Journal {
  const journal = openJournal(path);
  journal.append({ kind: "epoch", epoch: 7 }, 1);
  journal.append(INTENT, 2);
  journal.append(RESULT, 3);
  return journal;
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return error instanceof VigieError ? error.code : String(error);
  }
}

test("a new journal begins the chain, knows no key and no epoch, and only root may read it", () => {
  const journal = openJournal(path);
  expect(journal.head()).toBe(CHAIN_START);
  expect(journal.records()).toBe(0);
  expect(journal.highestEpoch()).toBe(0);
  expect(journal.keyState(KEY)).toEqual({ state: "new" });
  expect(journal.broken()).toBe("");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "state")).mode & 0o777).toBe(0o700);
});

test("a key is new, then begun, then finished with its result (I23)", () => {
  const journal = openJournal(path);
  journal.append(INTENT, 1);
  expect(journal.keyState(KEY)).toEqual({ state: "unfinished", body: "b", sinceUnixMs: 1 });
  journal.append(RESULT, 2);
  expect(journal.keyState(KEY)).toEqual({ state: "finished", body: "b", result: RESULT.result });
});

test("a record is on disk when append returns, one line each, with a hash before it (I22, I39)", () => {
  const journal = openJournal(path);
  journal.append(INTENT, 1);
  const [line, end] = readFileSync(path, "utf8").split("\n");
  expect(line).toMatch(/^[0-9a-f]{64} \{"unixMs":1,"entry":\{"kind":"intent"/);
  expect(line?.startsWith(journal.head())).toBe(true);
  expect(end).toBe("");
});

test("every record is synced before append returns (I22)", () => {
  const order: string[] = [];
  const disk: Disk = {
    ...REAL_DISK,
    write: (file, text) => (order.push("write"), REAL_DISK.write(file, text)),
    sync: (file) => (order.push("sync"), REAL_DISK.sync(file)),
  };
  const journal = openJournal(path, disk);
  journal.append(INTENT, 1);
  journal.append(RESULT, 2);
  expect(order).toEqual(["write", "sync", "write", "sync"]);
});

describe("a journal that is opened again", () => {
  test("remembers the head, how many records there are, the keys and the highest epoch", () => {
    const before = written();
    const journal = openJournal(path);
    expect([before.records(), journal.records()]).toEqual([3, 3]);
    expect(journal.head()).toBe(before.head());
    expect(journal.highestEpoch()).toBe(7);
    expect(journal.keyState(KEY)).toEqual(before.keyState(KEY));
  });

  test("goes on with the same chain", () => {
    written().close();
    const second = openJournal(path);
    second.append({ kind: "epoch", epoch: 8 }, 4);
    second.close();
    expect(openJournal(path).highestEpoch()).toBe(8);
  });

  test("does not answer for the cuts of its earlier life: nobody does (I20)", () => {
    const first = written();
    expect(first.madeCut("r-1")).toBe(true);
    first.close();
    expect(openJournal(path).madeCut("r-1")).toBe(false);
  });

  test("never lowers its epoch, whatever order the records have (I25)", () => {
    const journal = written();
    journal.append({ kind: "epoch", epoch: 3 }, 4);
    expect(journal.highestEpoch()).toBe(7);
  });

  test.each([1, 60, 64, 65, 80])(
    "cuts off a last line that was torn after %i bytes, and goes on",
    (bytes) => {
      written().close();
      const whole = readFileSync(path);
      appendFileSync(path, readFileSync(path).subarray(0, bytes));
      const journal = openJournal(path);
      expect(readFileSync(path)).toEqual(whole);
      expect(journal.keyState(KEY)).toMatchObject({ state: "finished" });
      journal.append({ kind: "epoch", epoch: 9 }, 4);
      journal.close();
      expect(openJournal(path).highestEpoch()).toBe(9);
    },
  );

  test("cuts off a last line that was torn within a letter of two bytes", () => {
    written().close();
    const whole = readFileSync(path);
    const torn = whole.indexOf("é") + 1;
    writeFileSync(path, whole.subarray(0, torn));
    const journal = openJournal(path);
    expect(journal.keyState(KEY)).toMatchObject({ state: "unfinished" });
    expect(readFileSync(path, "utf8").endsWith("\n")).toBe(true);
  });
});

/** What an action is told of it, and that nothing can be written. */
function refusalOf(journal: Journal): string {
  expect(codeOf(() => journal.append({ kind: "epoch", epoch: 9 }, 9))).toBe(
    journal.broken() === "" ? "" : "JOURNAL_BROKEN",
  );
  return journal.broken();
}

describe("a record that is not what was written (I39)", () => {
  const spoil = (change: (lines: string[]) => string[]): Journal => {
    written().close();
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    writeFileSync(path, `${change(lines).join("\n")}\n`);
    return openJournal(path);
  };

  test.each<[string, (lines: string[]) => string[]]>([
    ["changed", (lines) => lines.map((line) => line.replace('"epoch":7', '"epoch":1'))],
    ["taken out", ([first = "", , third = ""]) => [first, third]],
    ["moved", ([first = "", second = "", third = ""]) => [first, third, second]],
    ["written twice", (lines) => [...lines, lines.at(-1) ?? ""]],
    ["no record at all", (lines) => [...lines, "hello"]],
  ])("%s: every action is refused, with what to do, and what is before it is known", (_what, change) => {
    const journal = spoil(change);
    expect(refusalOf(journal)).toMatch(
      /record \d is not what was written; no action is performed\. .*: mv \S+ \S+; systemctl restart vigie-agent/,
    );
    expect(journal.whole()).toBe(false);
  });

  test("the records before it still count: no lower epoch is ever told, no begun key is new (I22, I25)", () => {
    const journal = spoil((lines) => [...lines.slice(0, 2), "hello"]);
    expect(journal.highestEpoch()).toBe(7);
    expect(journal.keyState(KEY)).toMatchObject({ state: "unfinished" });
    expect(journal.records()).toBe(2);
  });

  test("a last record of which a page never reached the disk was being written: it is cut off like a torn one", () => {
    const journal = written();
    journal.append({ ...INTENT, key: "r-2/x/1", detail: { guard: "g".repeat(6_000) } }, 4);
    journal.close();
    const before = Buffer.from(readFileSync(path));
    const last = before.lastIndexOf("\n", before.length - 2) + 1;
    writeFileSync(path, before.fill(0, last, 4_096));
    const again = openJournal(path);
    expect(again.broken()).toBe("");
    expect(again.records()).toBe(3);
    expect(readFileSync(path)).toHaveLength(last);
    expect(again.keyState("r-2/x/1")).toEqual({ state: "new" });
  });

  test("every changed byte is noticed", () => {
    written().close();
    const whole = readFileSync(path);
    const missed: number[] = [];
    for (let at = 0; at < whole.length - 1; at += 1) {
      const spoilt = Buffer.from(whole);
      spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      writeFileSync(path, spoilt);
      const journal = openJournal(path);
      if (journal.broken() === "") missed.push(at);
      journal.close();
    }
    expect(missed).toEqual([]);
  });
});

describe("a write that failed breaks the journal for ever (I24)", () => {
  const failures: readonly [string, Partial<Disk>][] = [
    [
      "it is refused",
      {
        write: () => {
          throw new Error("EIO");
        },
      },
    ],
    ["only half of it fits", { write: (file, text) => REAL_DISK.write(file, text.slice(0, 90)) }],
    [
      "it cannot be synced",
      {
        sync: () => {
          throw new Error("EIO");
        },
      },
    ],
  ];

  test.each(failures)("%s", (_what, failing) => {
    let disk: Disk = REAL_DISK;
    const journal = openJournal(path, {
      ...REAL_DISK,
      write: (file, text) => disk.write(file, text),
      sync: (file) => disk.sync(file),
    });
    journal.append({ kind: "epoch", epoch: 7 }, 1);
    disk = { ...REAL_DISK, ...failing };
    const head = journal.head();
    expect(codeOf(() => journal.append(INTENT, 2))).toBe("JOURNAL_BROKEN");
    disk = REAL_DISK; // room again: nothing is known of the file all the same
    expect(codeOf(() => journal.append(INTENT, 3))).toBe("JOURNAL_BROKEN");
    expect(journal.broken()).toContain(path);
    expect(journal.keyState(KEY)).toEqual({ state: "new" });
    expect(journal.head()).toBe(head);
  });

  test("a full disk of the real kind", () => {
    const full = openSync("/dev/full", "w");
    const journal = openJournal(path, { ...REAL_DISK, write: (_file, text) => writeSync(full, text) });
    expect(codeOf(() => journal.append(INTENT, 1))).toBe("JOURNAL_BROKEN");
    expect(journal.broken()).not.toBe("");
    closeSync(full);
  });
});

test("a folder that cannot be made, or a file that cannot be opened, is a broken journal and no end of the agent", () => {
  writeFileSync(join(folder, "state"), "a file where the folder should be");
  const journal = openJournal(path);
  expect(refusalOf(journal)).toMatch(
    /cannot be opened: .*; no action is performed\. Make room, or mend its disk/,
  );
  expect(journal.whole()).toBe(false);
});

test("a result that was asked for again is read from the file, and is refused where another stands there", () => {
  const journal = written();
  expect(journal.keyState(KEY)).toEqual({ state: "finished", body: "b", result: RESULT.result });
  writeFileSync(path, readFileSync(path, "utf8").replace(/"kind":"result"/, '"kind":"resulT"'));
  expect(codeOf(() => journal.keyState(KEY))).toBe("JOURNAL_BROKEN");
});
