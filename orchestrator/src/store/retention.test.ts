/** What is over grows old and goes, in portions; what is open, or needed, does not. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Incident, IncidentState, NoticeCause, Plan, Run, RunEvent, RunState, Severity } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepRetention } from "./retention.js";
import { migrate } from "./schema.js";
import { openSqliteStore } from "./sqlite.js";
import type { Change, Store } from "./store.js";

const DAY_MS = 86_400_000;
const BEGAN = 20_000 * DAY_MS;
const KEPT = { runs: 400, incidents: 400, events: 30, audit: 90 };

let folder: string;
let path: string;
let store: Store;
let wallUnixMs: number;
let livedMs: number;
let commits: number[]; // changes of each
let failAt: number; // the commit that is not written any more, as if the process had been killed

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-retention-"));
  path = join(folder, "vigie.db");
  store = openSqliteStore(path);
  [wallUnixMs, livedMs, commits, failAt] = [BEGAN, 0, [], Infinity];
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function ended(id: string, days: number, over: Partial<Run> = {}): Change[] {
  const event = RunEvent.create({ sequence: 1, unixMs: BEGAN - days * DAY_MS });
  const run = Run.create({ id, state: RunState.SUCCEEDED, events: [event], ...over });
  return [
    { record: "run", run },
    { record: "run-event", runId: id, event },
  ];
}

function closed(id: string, days: number): Change {
  const incident = Incident.create({ id, state: IncidentState.CLOSED, closedUnixMs: BEGAN - days * DAY_MS });
  return { record: "incident", incident };
}

const about = (incidentId: string, plannedUnixMs = 0): Pick<Run, "plan"> => ({
  plan: Plan.create({ incidentId, plannedUnixMs }),
});

/** Until it has looked `times` times, an hour apart. */
async function keep(times = 1): Promise<void> {
  const stop = new AbortController();
  let left = times;
  await keepRetention(
    {
      store,
      clock: {
        monotonicMs: () => livedMs,
        wallUnixMs: () => wallUnixMs,
        sleep: async (ms) => {
          if (ms < 3_600_000) return; // between two portions
          [livedMs, wallUnixMs] = [livedMs + ms, wallUnixMs + ms];
          if ((left -= 1) === 0) stop.abort();
        },
      },
      kept: () => KEPT,
      record: async (changes) => {
        if (commits.length >= failAt) throw new Error("killed");
        await store.commit(changes);
        commits.push(changes.length);
      },
      log: () => undefined,
    },
    stop.signal,
  );
}

async function kept(): Promise<string[]> {
  const runs = await store.runs(false, Infinity);
  const incidents = await store.incidents(true, Infinity);
  return [...runs, ...incidents].map(({ id }) => id).toSorted();
}

function rowsOf(table: string): number {
  const database = new DatabaseSync(path);
  const { n } = database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number };
  database.close();
  return n;
}

test("what ended more than the kept days ago goes, with its log, and the audit log says what it was", async () => {
  await store.commit([
    ...ended("r-old", 402),
    ...ended("r-new", 399),
    closed("i-old", 402),
    closed("i-new", 399),
  ]);
  await keep();
  expect(await kept()).toEqual(["i-new", "r-new"]);
  expect([rowsOf("run_events"), rowsOf("forgotten_runs")]).toEqual([1, 0]);
  const audit = await store.audit(0, 10);
  expect(audit.map(({ action, subject, detailJson }) => [action, subject, detailJson])).toEqual([
    ["store.forgot", "runs", expect.stringContaining("r-old")],
    ["store.forgot", "incidents", expect.stringContaining("i-old")],
  ]);
});

test("what is open never goes, and its age is that of its end and not of its beginning", async () => {
  const open = Object.values(RunState).filter(
    (it) => ![RunState.SUCCEEDED, RunState.FAILED, RunState.ABORTED].includes(it),
  );
  await store.commit([
    ...open.flatMap((state, n) => ended(`r-open-${n}`, 900, { state })),
    ...ended("r-long", 399, about("", BEGAN - 900 * DAY_MS)),
    {
      record: "incident",
      incident: Incident.create({ id: "i-open", state: IncidentState.NEEDS_PERSON, openedUnixMs: 1 }),
    },
  ]);
  await keep();
  expect(await kept()).toHaveLength(open.length + 2);
});

test("what something that is open still needs stays: an incident's run, and a run's incident", async () => {
  await store.commit([
    { record: "incident", incident: Incident.create({ id: "i-open", state: IncidentState.NEEDS_PERSON }) },
    ...ended("r-of-open", 900, about("i-open")),
    closed("i-of-open", 900),
    ...ended("r-open", 900, { ...about("i-of-open"), state: RunState.FROZEN }),
    ...ended("r-other", 900, about("i-gone")),
  ]);
  await keep();
  expect(await kept()).toEqual(["i-of-open", "i-open", "r-of-open", "r-open"]);
});

test("what a channel has yet to tell of stays until it has", async () => {
  const notice = {
    id: "n-1",
    channel: "ops",
    unixMs: 1,
    cause: NoticeCause.CLOSED,
    about: "i-1",
    severity: Severity.WARNING,
    text: "",
  };
  await store.commit([closed("i-1", 900), ...ended("r-1", 900), { record: "notice", notice }]);
  await keep();
  expect(await kept()).toEqual(["i-1"]);
  await store.commit([{ record: "channel-forgotten", name: "ops" }]);
  await keep();
  expect(await kept()).toEqual([]);
});

test("what cannot be read is left for a person, and holds up nothing behind it", async () => {
  await store.commit(Array.from({ length: 120 }, (_, n) => ended(`r-${n}`, 900 - n / 10)).flat());
  const database = new DatabaseSync(path);
  database.exec("UPDATE runs SET body = x'0aff' WHERE id IN ('r-0', 'r-1', 'r-60')");
  database.close();
  await keep();
  expect(rowsOf("runs")).toBe(3);
});

test("it goes in small portions", async () => {
  await store.commit(Array.from({ length: 220 }, (_, n) => ended(`r-${n}`, 900)).flat());
  await keep();
  expect(await kept()).toEqual([]);
  expect(Math.max(...commits)).toBeLessThanOrEqual(2); // one change with 50 names, and its audit record
  expect(commits).toHaveLength(1 + 5);
});

test.each([0, 1, 2, 3, 4])("killed at commit %i, the next life goes on, and nothing is half", async (at) => {
  await store.commit(Array.from({ length: 120 }, (_, n) => ended(`r-${n}`, 900)).flat());
  failAt = at;
  await keep();
  const left = await store.runs(false, Infinity);
  for (const { id } of left) expect((await store.runsById(id))[0]?.events.length).toBe(1);
  expect(left.length % 50 === 20 || left.length === 0).toBe(true);
  store.close();
  store = openSqliteStore(path);
  failAt = Infinity;
  await keep();
  expect([rowsOf("runs"), rowsOf("run_events"), rowsOf("forgotten_runs")]).toEqual([0, 0, 0]);
});

test("a log whose run is forgotten goes bit by bit, over as many lives as it takes", async () => {
  const rows = Array.from({ length: 900 }, (_, n): Change => ({
    record: "run-event",
    runId: "r-1",
    event: RunEvent.create({ sequence: n + 2 }),
  }));
  await store.commit([...ended("r-1", 900), ...rows]);
  await store.commit([{ record: "forget", kind: "runs", ids: ["r-1"] }]);
  expect(await store.prune(0, 400)).toBe(400);
  store.close();
  store = openSqliteStore(path);
  await keep();
  expect([rowsOf("run_events"), rowsOf("forgotten_runs")]).toEqual([0, 0]);
});

test("watch events, state changes and delivered messages go after their own days", async () => {
  const transition = { node: "h1", minor: 0, before: "", after: "Connected" };
  const watched = (days: number): Change => ({
    record: "watch",
    unixMs: BEGAN - days * DAY_MS,
    event: { $case: "node", value: { node: "h1", reporting: true, text: "" } },
  });
  await store.commit([
    ...Array.from({ length: 1_200 }, () => watched(40)),
    watched(29),
    { record: "transition", transition: { ...transition, unixMs: BEGAN - 40 * DAY_MS } },
    { record: "transition", transition: { ...transition, unixMs: BEGAN - 1 } },
  ]);
  await keep();
  expect([rowsOf("watch_events"), rowsOf("transitions")]).toEqual([1, 1]);
  expect(await store.lastCursor()).toBe(1_201);
});

test("audit records of before the kept days move to the archives, in portions, and none is forgotten", async () => {
  const audit = (days: number): Change => ({
    record: "audit",
    audit: { unixMs: BEGAN - days * DAY_MS, actor: "anna", action: "x", subject: "", detail: {} },
  });
  await store.commit([...Array.from({ length: 1_200 }, () => audit(92)), audit(89)]);
  await keep();
  expect((await store.archives()).at(-1)?.end.records).toBe(1_200);
  expect((await store.audit(0, 2_000)).filter(({ action }) => action === "x")).toHaveLength(1_201);
  await keep(); // what it adds to the log is no work of the same day
  expect((await store.auditEnd()).records).toBe(1_201 + 3);
});

test("a wall clock that leaps by years for an hour costs no history", async () => {
  await store.commit([...ended("r-1", 399), closed("i-1", 390)]);
  await keep(2);
  wallUnixMs += 3_650 * DAY_MS;
  await keep(2);
  expect(await kept()).toEqual(["i-1", "r-1"]);
  store.close();
  store = openSqliteStore(path); // nor does a restart in the wrong year
  await keep(10);
  expect(await kept()).toEqual(["i-1", "r-1"]);
});

test("after a long stop ages catch up with the wall clock, at twice its pace", async () => {
  await keep();
  wallUnixMs += 10 * DAY_MS;
  await keep(24 * 11);
  expect(await store.retentionUnixMs()).toBeGreaterThan(BEGAN + 20 * DAY_MS);
  expect(await store.retentionUnixMs()).toBeLessThanOrEqual(wallUnixMs);
});

test("what ended before ages were kept counts from the day of the upgrade", async () => {
  const older = join(folder, "older.db");
  const database = new DatabaseSync(older);
  migrate(database, 6);
  for (const [id, open] of [
    ["r-1", 0],
    ["r-2", 1],
  ] as const)
    database
      .prepare("INSERT INTO runs (id, open, body) VALUES (?, ?, ?)")
      .run(id, open, Run.encode(Run.create({ id })).finish());
  database.close();
  const upgraded = openSqliteStore(older);
  const place = { unixMs: 0, id: "" };
  const now = Date.now();
  expect((await upgraded.forgettable("runs", now - 3_600_000, place, 10)).ids).toEqual([]);
  expect((await upgraded.forgettable("runs", now + 3_600_000, place, 10)).ids).toEqual(["r-1"]);
  upgraded.close();
});
