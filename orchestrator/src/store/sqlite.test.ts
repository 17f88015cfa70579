import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import {
  CHAIN_START,
  Incident,
  IncidentState,
  Maintenance,
  Run,
  RunEvent,
  RunEventKind,
  RunState,
  VigieError,
} from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStore } from "./sqlite.js";
import { firstBrokenAudit } from "./testing/first-broken-audit.js";
import type { Change, Store } from "./store.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-store-"));
  path = join(folder, "state", "vigie.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function audit(action: string): Change {
  return { record: "audit", audit: { unixMs: 7, actor: "anna", action, subject: "r-1", detail: { n: 1 } } };
}

const watched: Change = {
  record: "watch",
  unixMs: 7,
  event: { $case: "node", value: { node: "h1", reporting: true, text: "" } },
};
const run = (id: string, state: RunState): Change => ({ record: "run", run: Run.create({ id, state }) });
const incident = (id: string, state: IncidentState): Change => ({
  record: "incident",
  incident: Incident.create({ id, state }),
});

/** The file as somebody with a shell would change it. */
function edit(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function codeOf(error: unknown): string {
  return error instanceof VigieError ? error.code : String(error);
}

async function failing(store: Store, changes: readonly Change[]): Promise<string> {
  return store.commit(changes).then(() => "", codeOf);
}

test("a new store is empty: no epoch, no runs, and an audit log that begins its chain", async () => {
  const store = openSqliteStore(path);
  expect(await store.epoch()).toBe(0);
  expect(await store.runs(false, 10)).toEqual([]);
  expect(await store.auditEnd()).toEqual({ records: 0, head: CHAIN_START });
  expect(await firstBrokenAudit(store)).toBeUndefined();
  expect(await store.lastCursor()).toBe(0);
  store.close();
});

test("planned maintenance is there when it is opened again, and none where it cannot be read", async () => {
  const h3 = Maintenance.create({ node: "h3", begunUnixMs: 1, untilUnixMs: 2, person: "anna" });
  const first = openSqliteStore(path);
  expect(await first.maintenance()).toEqual({ number: 0, maintenances: [] });
  await first.commit([{ record: "maintenance", list: { number: 3, maintenances: [h3] } }]);
  first.close();
  const second = openSqliteStore(path);
  expect(await second.maintenance()).toEqual({ number: 3, maintenances: [h3] });
  second.close();
  edit("UPDATE maintenance SET body = x'0aff'");
  const third = openSqliteStore(path);
  expect(await third.maintenance()).toEqual({ number: 0, maintenances: [] });
  expect(third.unreadable()).toEqual(["maintenance"]);
  third.close();
});

test("what was committed is there when it is opened again", async () => {
  const first = openSqliteStore(path);
  const event = RunEvent.create({ sequence: 1, kind: RunEventKind.PLANNED, text: "né" });
  const [told] = await first.commit([
    { record: "epoch", epoch: 4 },
    run("r-1", RunState.RUNNING),
    { record: "run-event", runId: "r-1", event },
    incident("i-1", IncidentState.OPEN),
    { record: "transition", transition: { unixMs: 1, node: "h1", minor: 0, before: "", after: "Connected" } },
    audit("run.planned"),
    watched,
    { record: "journal", node: "h2", end: { records: 2, head: "aa" } },
    { record: "journal", node: "h2", end: { records: 3, head: "ab" } },
  ]);
  const end = await first.auditEnd();
  first.close();
  const store = openSqliteStore(path);
  expect(await store.epoch()).toBe(4);
  expect((await store.runsById("r-1"))[0]).toMatchObject({
    id: "r-1",
    state: RunState.RUNNING,
    events: [event],
  });
  expect((await store.incidents(false, 10)).map(({ id }) => id)).toEqual(["i-1"]);
  expect(await store.transitions("h1", 0, 10)).toHaveLength(1);
  expect(await store.auditEnd()).toEqual(end);
  expect(end).toEqual({ records: 1, head: await store.auditHash(1) });
  expect(await store.journals()).toEqual(new Map([["h2", { records: 3, head: "ab" }]]));
  expect(await store.watchAfter(0, 10)).toEqual([told]);
  store.close();
});

test("all of one commit is on disk, or none of it (I24)", async () => {
  const store = openSqliteStore(path);
  const event = RunEvent.create({ sequence: 1 });
  const twice: Change[] = [1, 2].map(() => ({ record: "run-event", runId: "r-1", event }));
  expect(await failing(store, [run("r-1", RunState.RUNNING), audit("x"), ...twice])).toBe("JOURNAL_BROKEN");
  expect(await store.runs(false, 10)).toEqual([]);
  expect(await store.audit(0, 10)).toEqual([]);
  expect(await store.auditEnd()).toEqual({ records: 0, head: CHAIN_START });
  expect(await store.auditHash(1)).toBeUndefined();
  await store.commit([audit("y")]);
  expect(await firstBrokenAudit(store)).toBeUndefined();
  store.close();
});

test("a row of a run's log is written once and never changed", async () => {
  const store = openSqliteStore(path);
  const event = RunEvent.create({ sequence: 1 });
  await store.commit([{ record: "run-event", runId: "r-1", event }]);
  expect(await failing(store, [{ record: "run-event", runId: "r-1", event }])).toBe("JOURNAL_BROKEN");
  store.close();
});

test("open runs are those that have not ended; newest first", async () => {
  const store = openSqliteStore(path);
  const states = Object.values(RunState);
  await store.commit(states.map((state, i) => run(`r-${String(i).padStart(2, "0")}`, state)));
  const open = await store.runs(true, 100);
  expect(open.map(({ state }) => state)).toEqual([
    RunState.PAUSED,
    RunState.WAITING,
    RunState.FROZEN,
    RunState.UNDOING,
    RunState.RUNNING,
    RunState.AWAITING_APPROVAL,
  ]);
  expect(await store.runs(false, 3)).toHaveLength(3);
  store.close();
});

test("while another process has it locked nothing is written, and afterwards the same is (I24)", async () => {
  const store = openSqliteStore(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  expect(await failing(store, [audit("x"), run("r-1", RunState.RUNNING)])).toBe("UNAVAILABLE");
  other.exec("ROLLBACK");
  other.close();
  await store.commit([audit("x"), run("r-1", RunState.RUNNING)]);
  expect([await firstBrokenAudit(store), (await store.runs(true, 10)).length]).toEqual([undefined, 1]);
  store.close();
});

test("a row that cannot be read hides no other, and is named", async () => {
  const store = openSqliteStore(path);
  const event = RunEvent.create({ sequence: 1, text: "x" });
  await store.commit([
    incident("i-1", IncidentState.OPEN),
    incident("i-2", IncidentState.OPEN),
    run("r-1", RunState.RUNNING),
    run("r-2", RunState.RUNNING),
    { record: "run-event", runId: "r-2", event },
  ]);
  edit("UPDATE incidents SET body = x'0aff' WHERE id = 'i-1'");
  edit("UPDATE runs SET body = x'0aff' WHERE id = 'r-1'");
  edit("UPDATE run_events SET body = x'0aff' WHERE run_id = 'r-2'");
  expect((await store.incidents(false, Infinity)).map(({ id }) => id)).toEqual(["i-2"]);
  expect((await store.runs(true, Infinity)).map(({ id }) => id)).toEqual(["r-2"]);
  expect(await store.runsById("r-2")).toEqual([]);
  expect(store.unreadable()).toEqual(["incident i-1", "run r-1", "run r-2"]);
  store.close();
});

test("a closed incident is listed only where closed ones are asked for", async () => {
  const store = openSqliteStore(path);
  await store.commit([incident("i-1", IncidentState.OPEN), incident("i-2", IncidentState.OPEN)]);
  await store.commit([incident("i-1", IncidentState.CLOSED)]);
  expect((await store.incidents(false, 10)).map(({ id }) => id)).toEqual(["i-2"]);
  expect((await store.incidents(true, 10)).map(({ id }) => id)).toEqual(["i-2", "i-1"]);
  store.close();
});

test("a beginning of an id finds what it begins, taken literally", async () => {
  const store = openSqliteStore(path);
  await store.commit([
    run("r-1a", RunState.RUNNING),
    run("r-1b", RunState.RUNNING),
    run("r-2", RunState.RUNNING),
  ]);
  const found = async (beginning: string): Promise<number> => (await store.runsById(beginning)).length;
  expect(await Promise.all(["r-1", "r-1a", "r-%", "r_1", "' OR 1=1 --"].map(found))).toEqual([2, 1, 0, 0, 0]);
  store.close();
});

test("cursors rise without a gap, and a page begins after the one that is named", async () => {
  const store = openSqliteStore(path);
  await store.commit([watched, watched]);
  await store.commit([watched]);
  expect((await store.watchAfter(0, 10)).map(({ cursor }) => cursor)).toEqual([1, 2, 3]);
  expect((await store.watchAfter(1, 1)).map(({ cursor }) => cursor)).toEqual([2]);
  expect(await store.lastCursor()).toBe(3);
  store.close();
});

describe("the audit log (I39)", () => {
  const spoilt = async (sql: string): Promise<number | undefined> => {
    const first = openSqliteStore(path);
    await first.commit(["a", "b", "c", "d"].map(audit));
    first.close();
    edit(sql);
    const store = openSqliteStore(path);
    const broken = await firstBrokenAudit(store);
    store.close();
    return broken;
  };

  test.each([
    ["whose text was changed", "UPDATE audit SET action = 'nothing' WHERE sequence = 2", 2],
    ["whose name was changed", "UPDATE audit SET actor = 'eve' WHERE sequence = 3", 3],
    ["whose time was changed", "UPDATE audit SET unix_ms = 8 WHERE sequence = 1", 1],
    ["whose hash was changed", `UPDATE audit SET hash = '${CHAIN_START}' WHERE sequence = 2`, 2],
    ["that was taken out, at the one after it", "DELETE FROM audit WHERE sequence = 2", 3],
    ["that was put elsewhere", "UPDATE audit SET sequence = 9 WHERE sequence = 1", 2],
  ])("shows a record %s", async (_what, sql, at) => {
    expect(await spoilt(sql)).toBe(at);
  });

  test("that nobody touched holds", async () => {
    expect(await spoilt("SELECT 1")).toBeUndefined();
  });

  test("is looked at to its end, however long it is", async () => {
    const first = openSqliteStore(path);
    await first.commit(Array.from({ length: 1_100 }, (_, n) => audit(`a${n}`)));
    expect(await firstBrokenAudit(first)).toBeUndefined();
    first.close();
    edit("UPDATE audit SET actor = 'eve' WHERE sequence = 1050");
    const store = openSqliteStore(path);
    expect(await firstBrokenAudit(store)).toBe(1_050);
    store.close();
  });
});

describe("the schema", () => {
  test("of a newer program is refused: going on would lose what it does not know", () => {
    openSqliteStore(path).close();
    edit("PRAGMA user_version = 99");
    expect(() => openSqliteStore(path)).toThrow(/cannot be opened/);
    try {
      openSqliteStore(path);
    } catch (error) {
      expect(codeOf(error)).toBe("JOURNAL_BROKEN");
      expect(String((error as Error).cause)).toContain("schema 99 is newer");
    }
  });

  test("of an empty file is made; a second opening changes nothing", () => {
    openSqliteStore(path).close();
    const schema = (): unknown => {
      const database = new DatabaseSync(path);
      const rows = database.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all();
      database.close();
      return rows;
    };
    const before = schema();
    openSqliteStore(path).close();
    expect(schema()).toEqual(before);
  });

  test("commits are synced in full, so that power may go (I22)", () => {
    openSqliteStore(path).close();
    const database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    database.close();
  });

  test("a file that is no database is refused", () => {
    rmSync(folder, { recursive: true, force: true });
    expect(() => openSqliteStore("/proc/version/vigie.db")).toThrow(VigieError);
  });
});

test("a process killed while it commits loses nothing that it had been told is kept", async () => {
  const writer = fileURLToPath(new URL("testing/endless-writer.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", writer, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = 0;
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      acknowledged = Number(text.toString().trim().split("\n").at(-1));
      if (acknowledged > 100) child.kill("SIGKILL");
    });
    child.on("close", () => resolve());
  });
  const store = openSqliteStore(path);
  const records = await store.audit(0, 1_000_000);
  expect(records.length).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged).toBeGreaterThan(100);
  expect(await firstBrokenAudit(store)).toBeUndefined();
  expect(await store.lastCursor()).toBe(records.length);
  store.close();
});
