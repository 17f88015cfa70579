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

let folder: string;
let store: Store;
let nowMs: number;
let wake: () => void;
let stop: AbortController;
let pages: number[]; // after which record each page began
let alarms: unknown[];
let auditor: Auditor;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-auditor-"));
  store = openSqliteStore(join(folder, "vigie.db"));
  [nowMs, wake, stop, pages, alarms] = [0, () => undefined, new AbortController(), [], []];
});
afterEach(() => {
  stop.abort();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(): void {
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallUnixMs: () => 0,
    sleep: () => new Promise((resolve) => (wake = resolve)),
  };
  const counted = {
    auditEnd: store.auditEnd,
    checkAudit: async (from: LogEnd, limit: number) => {
      pages.push(from.records);
      return store.checkAudit(from, limit);
    },
  };
  auditor = startAuditor(
    counted,
    clock,
    (event, detail) => alarms.push([event, detail["sequence"]]),
    stop.signal,
  );
}

/** Until it sleeps `times` times more. */
async function goOn(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
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
  await append(1_200);
  start();
  await goOn(1);
  expect(await auditor.state()).toMatchObject({ intact: true, records: 1_200 });
  await goOn(4);
  expect(await auditor.state()).toEqual({ intact: true, checked: 1_200, records: 1_200 });
});

test("of a log that was checked only what is new is read", async () => {
  await append(1_200);
  start();
  await goOn(5);
  pages = [];
  await append(3); // and asked for in the same second
  expect(await auditor.state()).toEqual({ intact: true, checked: 1_203, records: 1_203 });
  await goOn(2);
  expect(new Set(pages)).toEqual(new Set([1_200, 1_203]));
});

test("a record that is changed after it was checked is found within a day, and told once", async () => {
  await append(1_200);
  start();
  await goOn(5);
  edit("UPDATE audit SET actor = 'eve' WHERE sequence = 700");
  await goOn(3);
  expect((await auditor.state()).intact).toBe(true);
  nowMs += DAY_MS;
  await goOn(5);
  expect((await auditor.state()).intact).toBe(false);
  expect(alarms).toEqual([["audit.broken", 700]]);
  nowMs += DAY_MS;
  await goOn(1); // the first page, which is whole
  expect((await auditor.state()).intact).toBe(false);
  edit("UPDATE audit SET actor = 'anna' WHERE sequence = 700");
  await goOn(5);
  expect((await auditor.state()).intact).toBe(true);
});

test("a log that cannot be read is not called intact", async () => {
  await append(1);
  start();
  edit("DROP TABLE audit");
  await goOn(2);
  expect((await auditor.state()).intact).toBe(false);
});
