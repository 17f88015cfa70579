/** Older audit records in files: nothing lost, nothing twice, and whatever is done to a file is named (I39). */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { CHAIN_START, explain, type AuditRecord, type LogEnd } from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStore } from "./sqlite.js";
import { firstBrokenAudit } from "./testing/first-broken-audit.js";
import type { Change, Store } from "./store.js";

const DAY_MS = 86_400_000;
const JANUARY = Date.UTC(2026, 0, 1);
const MARCH = Date.UTC(2026, 2, 1);
const [FIRST, SECOND] = ["000000000001-2026-01.log", "000000000032-2026-02.log"];

let folder: string;
let path: string;
let archives: string;
let store: Store;
let written: AuditRecord[]; // as they were before any was archived

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-archives-"));
  [path, archives] = [join(folder, "vigie.db"), join(folder, "vigie.audit")];
  store = openSqliteStore(path);
  await store.commit(Array.from({ length: 90 }, (_, day) => audit(day)));
  written = await store.audit(0, 1_000);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One a day from the first of January on. */
function audit(day: number): Change {
  const detail = { day, text: "né\n\u2028" };
  return {
    record: "audit",
    audit: { unixMs: JANUARY + day * DAY_MS, actor: "anna", action: "x", subject: "r-1", detail },
  };
}

async function archiveAll(beforeUnixMs = MARCH, limit = 10): Promise<void> {
  for (;;) {
    const changes = await store.archive(
      beforeUnixMs,
      limit,
      Math.max(JANUARY + 200 * DAY_MS, beforeUnixMs + DAY_MS),
    );
    if (changes.length === 0) return;
    await store.commit(changes);
  }
}

function reopen(): void {
  store.close();
  store = openSqliteStore(path);
}

function edit(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function rowsInStore(): number {
  const database = new DatabaseSync(path);
  const { n } = database.prepare("SELECT count(*) AS n FROM audit WHERE action = 'x'").get() as { n: number };
  database.close();
  return n;
}

/** The texts of all that is wrong, as a whole look finds it. */
async function faults(): Promise<string[]> {
  const found: string[] = [];
  for (let at: LogEnd = { records: 0, head: CHAIN_START }; ;) {
    const { upTo, fault } = await store.checkAudit(at, 7);
    if (fault !== undefined) found.push(fault.text.replace(`${archives}/`, ""));
    const next = fault === undefined ? upTo : fault.goOnFrom;
    if (next === undefined || (fault === undefined && next.records === at.records)) return found;
    at = next;
  }
}

test("what is older than wanted is in a file a month, and the log reads and proves as before", async () => {
  await archiveAll();
  expect(readdirSync(archives).toSorted()).toEqual([FIRST, SECOND]);
  expect(rowsInStore()).toBe(90 - 59);
  reopen();
  const log = await store.audit(0, 1_000);
  expect(log.slice(0, 90)).toEqual(written);
  expect(new Set(log.slice(90).map(({ action }) => action))).toEqual(new Set(["audit.archived"]));
  expect(await firstBrokenAudit(store)).toBeUndefined();
  expect(await faults()).toEqual([]);
  expect(await store.archiveFaults()).toEqual([]);
  await archiveAll();
  expect(rowsInStore()).toBe(90 - 59);
});

test("any page of it can be read, in the archives, in the store, and across", async () => {
  await archiveAll();
  for (const [after, limit] of [
    [0, 5],
    [5, 5],
    [29, 4],
    [57, 6],
    [88, 2],
  ] as const)
    expect(await store.audit(after, limit)).toEqual(written.slice(after, after + limit));
});

test("an archive is text that a few lines of script can prove", async () => {
  await archiveAll();
  let head = "";
  let lines = 0;
  for (const name of readdirSync(archives).toSorted())
    for (const line of readFileSync(join(archives, name), "utf8").trimEnd().split("\n")) {
      if (line.startsWith("#")) {
        const from = line.split(" ").at(-1) ?? "";
        expect([from, head]).toEqual([from, head === "" ? "" : from]);
        head = from;
        continue;
      }
      const [, hash, ...payload] = line.split(" ");
      expect(
        createHash("sha256")
          .update(`${head}\n${payload.join(" ")}`)
          .digest("hex"),
      ).toBe(hash);
      head = hash ?? "";
      lines += 1;
    }
  expect(lines).toBe(59);
});

test("a record is found by its time and by its number, wherever it is", async () => {
  await archiveAll();
  for (const day of [0, 1, 20, 31, 45, 58, 59, 60, 89])
    expect(await store.auditBefore(JANUARY + day * DAY_MS)).toBe(day);
  expect(await store.auditHash(20)).toBe(written[19]?.hash);
  expect(await store.auditHash(70)).toBe(written[69]?.hash);
  expect(await store.auditHash(10_000)).toBeUndefined();
});

test("the log goes on from its archives where the store has no record of its own left", async () => {
  await store.commit(await store.archive(JANUARY + 400 * DAY_MS, 1_000, JANUARY));
  await store.commit(await store.archive(JANUARY + 400 * DAY_MS, 1_000, JANUARY));
  const end = await store.auditEnd();
  reopen();
  expect(await store.auditEnd()).toEqual(end);
  await store.commit([audit(95)]);
  expect(await faults()).toEqual([]);
});

test("a clock that was set back or forth for a while loses nothing and holds up nothing", async () => {
  await store.commit([audit(-400), audit(90), audit(40_000), audit(91), audit(-1), audit(92)]);
  const all = await store.audit(0, 1_000);
  await archiveAll(JANUARY + 92 * DAY_MS, 500);
  expect((await store.audit(0, 1_000)).slice(0, all.length)).toEqual(all);
  expect(await faults()).toEqual([]);
  expect(rowsInStore()).toBe(1);
});

describe("killed at any moment", () => {
  test("after the file was written and before the store knew, it is not written twice", async () => {
    await store.archive(MARCH, 10, MARCH); // and the commit never came
    expect(await faults()).toEqual([]);
    reopen();
    await store.archive(MARCH, 25, MARCH); // of another size
    reopen();
    await archiveAll();
    expect((await store.audit(0, 90)).slice(0, 90)).toEqual(written);
    expect(await faults()).toEqual([]);
  });

  test("in the middle of a write, at every byte of it, what is missing is added and nothing else", async () => {
    await archiveAll(JANUARY + 3 * DAY_MS);
    const file = join(archives, FIRST);
    const before = readFileSync(file);
    const [pending] = await store.archive(JANUARY + 6 * DAY_MS, 10, MARCH);
    const whole = readFileSync(file);
    for (let bytes = before.length; bytes <= whole.length; bytes += 13) {
      writeFileSync(file, whole.subarray(0, bytes));
      expect(await faults()).toEqual([]);
      expect(await store.archive(JANUARY + 6 * DAY_MS, 10, MARCH)).toMatchObject([pending, {}]);
      expect(readFileSync(file).equals(whole)).toBe(true);
    }
  });

  test("by the kernel, again and again, the log has each record once and none is missing", async () => {
    rmSync(archives, { recursive: true, force: true });
    const archiver = fileURLToPath(new URL("testing/endless-archiver.ts", import.meta.url));
    let acknowledged = 0;
    for (let life = 1; life <= 4; life += 1) {
      store.close();
      const child = spawn(process.execPath, ["--import", "tsx", archiver, path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise<void>((resolve) => {
        child.stdout.on("data", (text: Buffer) => {
          acknowledged = Number(text.toString().trim().split("\n").at(-1));
          if (acknowledged > life * 400) child.kill("SIGKILL");
        });
        child.on("close", () => resolve());
      });
      store = openSqliteStore(path);
      expect(await faults()).toEqual([]);
      const log = await store.audit(0, 1_000_000);
      expect(log.length).toBeGreaterThanOrEqual(acknowledged);
      expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, at) => at + 1));
    }
    expect((await store.archives()).length).toBeGreaterThan(3);
  });

  test("before the first file had its first line, it begins again", async () => {
    await store.archive(MARCH, 10, MARCH);
    truncateSync(join(archives, FIRST), 9);
    reopen();
    await archiveAll();
    expect(await faults()).toEqual([]);
  });
});

describe("what is done to an archive is named", () => {
  beforeEach(() => archiveAll());
  const file = (name: string): string => join(archives, name);

  test.each<[string, () => void, string[]]>([
    ["missing", () => rmSync(file(FIRST)), [`${FIRST} is missing: put it back from a backup`]],
    [
      "missing, each of two",
      () => rmSync(archives, { recursive: true }),
      [`${FIRST} is missing: put it back from a backup`, `${SECOND} is missing: put it back from a backup`],
    ],
    [
      "cut",
      () => truncateSync(file(SECOND), 2_000),
      [expect.stringMatching(new RegExp(`^${SECOND} is cut: it ends with record \\d+, and had 59$`))],
    ],
    ["cut to nothing", () => truncateSync(file(SECOND), 0), [`${SECOND} is changed at its first line`]],
    [
      "changed in the middle",
      () => writeFileSync(file(FIRST), readFileSync(file(FIRST), "utf8").replace('"day\\":20', '"day\\":21')),
      [`${FIRST} is changed at record 21`],
    ],
    [
      "added to",
      () => appendFileSync(file(FIRST), "more\n"),
      [`${FIRST} goes on after record 31 with what this store did not write there`],
    ],
    [
      "put in another's place",
      () => copyFileSync(file(FIRST), file(SECOND)),
      [`${SECOND} is changed at its first line`],
    ],
    [
      "forgotten by the store",
      () => edit("DELETE FROM audit_archives WHERE first_sequence = 1"),
      ["records 1 to 31 are in no archive that the store knows of"],
    ],
  ])("%s", async (_what, change, expected) => {
    change();
    reopen();
    expect(await faults()).toEqual(expected);
  });

  test("a file that is missing or cut is seen by its size alone", async () => {
    rmSync(file(FIRST));
    truncateSync(file(SECOND), 100);
    expect(await store.archiveFaults()).toEqual([
      `${file(FIRST)} is missing: put it back from a backup`,
      expect.stringMatching(/ is cut: 100 bytes of \d+ are left$/),
    ]);
    await expect(store.audit(0, 10)).rejects.toThrow(/is missing/);
    expect(await store.audit(60, 5)).toEqual(written.slice(60, 65)); // what the store has is shown all the same
  });

  test("records that were written anew with hashes of their own do not join the store", async () => {
    edit("UPDATE audit_archives SET head = 'ab' WHERE first_sequence = 32");
    reopen();
    expect(await faults()).toEqual([
      expect.stringContaining(`${SECOND} is changed: record 59`),
      expect.anything(),
    ]);
  });

  test("what is put back is whole again", async () => {
    const kept = readFileSync(file(FIRST));
    rmSync(file(FIRST));
    expect(await faults()).not.toEqual([]);
    writeFileSync(file(FIRST), kept);
    expect(await faults()).toEqual([]);
  });
});

test("a record that was changed is not archived, and stays to be looked at", async () => {
  edit("UPDATE audit SET actor = 'eve' WHERE sequence = 5");
  reopen();
  await expect(store.archive(MARCH, 10, MARCH)).rejects.toThrow(/record 5 is not what was written/);
  expect(rowsInStore()).toBe(90);
});

test("a store that was put back from an older copy overwrites no archive, and says what it found", async () => {
  store.close();
  copyFileSync(path, join(folder, "old.db"));
  store = openSqliteStore(path);
  await store.commit([audit(90)]);
  await archiveAll(JANUARY + 300 * DAY_MS, 100);
  store.close();
  copyFileSync(join(folder, "old.db"), path);
  const before = readFileSync(join(archives, "000000000091-2026-04.log"));
  store = openSqliteStore(path);
  await store.commit([audit(90.5)]); // other than what followed then
  const why = await archiveAll(JANUARY + 300 * DAY_MS, 100).then(() => "", explain);
  expect(why).toMatch(/2026-04\.log holds other records than this store: is the store an older copy\?/);
  expect(readFileSync(join(archives, "000000000091-2026-04.log")).equals(before)).toBe(true);
  expect(rowsInStore()).toBe(1);
});
