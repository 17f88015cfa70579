/** The audit log is checked once, then only what is new, and once a day as a whole (I39). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock, LogEnd } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startAuditor, type Auditor } from "./auditor.js";
import { openSqliteStore } from "./sqlite.js";
import type { Change, Store } from "./store.js";

const DAY_MS = 86_400_000;
const BEGAN = 20_000 * DAY_MS;

let folder: string;
let store: Store;
let nowMs: number;
let sleepers: { readonly wake: () => void; readonly ms: number; readonly dueMs: number }[];
let stop: AbortController;
let pages: number[]; // after which record each page began
let alarms: unknown[];
let auditor: Auditor;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-auditor-"));
  store = openSqliteStore(join(folder, "vigie.db"));
  [nowMs, sleepers, stop, pages, alarms] = [0, [], new AbortController(), [], []];
});
afterEach(() => {
  stop.abort();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallUnixMs: () => BEGAN + nowMs,
    sleep: (ms) => new Promise((wake) => sleepers.push({ wake, ms, dueMs: nowMs + ms })),
  };
  const counted = {
    ...store,
    checkAudit: async (from: LogEnd, limit: number) => {
      pages.push(from.records);
      return store.checkAudit(from, limit);
    },
  };
  const record = async (changes: readonly Change[]): Promise<void> => void (await store.commit(changes));
  const log = (event: string, { sequence }: Record<string, unknown>): void =>
    void alarms.push([event, sequence]);
  auditor = await startAuditor({ store: counted, clock, record, log }, stop.signal);
}

/** Until it has slept `times` times more; who sleeps for long wakes when his time has come. */
async function goOn(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const [due, later] = [sleepers.filter(isDue), sleepers.filter((it) => !isDue(it))];
    sleepers = later;
    for (const { wake } of due) wake();
    await settled();
  }
}

function isDue({ ms, dueMs }: { readonly ms: number; readonly dueMs: number }): boolean {
  return ms <= 1_000 || dueMs <= nowMs;
}

/** What reads files comes back later than what reads the store. */
async function settled(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function append(count: number): Promise<void> {
  const audit = { unixMs: 7, actor: "anna", action: "x", subject: "r-1", detail: {} };
  await store.commit(Array.from({ length: count }, (): Change => ({ record: "audit", audit })));
}

function edit(sql: string): void {
  const database = new DatabaseSync(join(folder, "vigie.db"));
  database.exec(sql);
  database.close();
}

test("a long log is checked page by page, and says how far it is", async () => {
  await append(2_200);
  await start();
  expect(await auditor.state()).toMatchObject({ intact: true, records: 2_200 });
  expect((await auditor.state()).checked).toBeLessThan(2_200);
  await goOn(8);
  expect(await auditor.state()).toEqual({ intact: true, checked: 2_200, records: 2_200, faults: [] });
});

test("of a log that was checked only what is new is read", async () => {
  await append(1_200);
  await start();
  await goOn(8);
  pages = [];
  await append(3); // and asked for in the same second
  expect(await auditor.state()).toMatchObject({ intact: true, checked: 1_203, records: 1_203 });
  await goOn(2);
  expect(new Set(pages)).toEqual(new Set([1_200, 1_203]));
});

test("a restart goes on where the last life was, and does not begin again", async () => {
  await append(1_200);
  await start();
  await goOn(8);
  stop.abort();
  pages = [];
  stop = new AbortController();
  await append(3);
  await start();
  await goOn(2);
  expect(await auditor.state()).toMatchObject({ intact: true, checked: 1_203 });
  expect(Math.min(...pages)).toBe(1_200);
});

test("a record that is changed after it was checked is found within a day, told once, and seen by the next life at once", async () => {
  await append(1_200);
  await start();
  await goOn(8);
  edit("UPDATE audit SET actor = 'eve' WHERE sequence = 700");
  await goOn(3);
  expect((await auditor.state()).intact).toBe(true);
  nowMs += DAY_MS;
  await goOn(5);
  expect((await auditor.state()).faults).toEqual([expect.stringContaining("record 700")]);
  expect(alarms).toEqual([["audit.broken", 700]]);
  stop.abort();
  stop = new AbortController();
  await start();
  await goOn(1);
  expect((await auditor.state()).intact).toBe(false);
});

test("what was put back is seen when a person has all of it gone through", async () => {
  await append(1_200);
  edit("UPDATE audit SET actor = 'eve' WHERE sequence = 700");
  await start();
  await goOn(5);
  expect((await auditor.state()).intact).toBe(false);
  edit("UPDATE audit SET actor = 'anna' WHERE sequence = 700");
  const verified = auditor.verify();
  await goOn(6);
  expect(await verified).toMatchObject({ intact: true, faults: [] });
  expect((await auditor.state()).intact).toBe(true);
});

test("records that are taken off the end while nobody is there are missed", async () => {
  await append(1_200);
  await start();
  await goOn(8);
  stop.abort();
  edit("DELETE FROM audit WHERE sequence > 1000");
  store.close();
  store = openSqliteStore(join(folder, "vigie.db"));
  stop = new AbortController();
  await start();
  await settled();
  expect(alarms).toEqual([["audit.lost-records", undefined]]);
  const end = await store.auditEnd();
  expect((await store.audit(end.records - 1, 1))[0]?.action).toBe("audit.lost-records");
});

test("a log that cannot be read is not called intact", async () => {
  await append(1);
  await start();
  edit("DROP TABLE audit");
  await goOn(2);
  expect((await auditor.state()).intact).toBe(false);
});
