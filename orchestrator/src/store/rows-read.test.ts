/** How many rows the answers cost that are asked for again and again: as many as they show, however many there are. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CHAIN_START, Incident, IncidentState, Run, RunEvent, RunState } from "@vigie/proto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openSqliteStore } from "./sqlite.js";
import type { Change, Store } from "./store.js";

const MANY = 2_000;

let folder: string;
let path: string;
let store: Store;
const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
let asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-rows-"));
  path = join(folder, "vigie.db");
  const writer = openSqliteStore(path);
  await writer.commit(Array.from({ length: MANY }, (_, n) => one(n)).flat());
  writer.close();
  prepare.mockClear();
  store = openSqliteStore(path);
  asked = [];
});
afterAll(() => {
  store.close();
  prepare.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

function one(n: number): Change[] {
  const id = String(n).padStart(6, "0");
  const state = n % 500 === 0 ? RunState.RUNNING : RunState.SUCCEEDED;
  return [
    { record: "run", run: Run.create({ id: `r-${id}`, state }) },
    { record: "run-event", runId: `r-${id}`, event: RunEvent.create({ sequence: 1 }) },
    { record: "incident", incident: Incident.create({ id: `i-${id}`, state: IncidentState.CLOSED }) },
    { record: "audit", audit: { unixMs: n, actor: "a", action: "x", subject: id, detail: {} } },
    {
      record: "watch",
      unixMs: n,
      event: { $case: "node", value: { node: "h1", reporting: true, text: "" } },
    },
  ];
}

/** Each table that a statement goes through from end to end, by SQLite's own word; one that a limit ends is not. */
function scans(sql: string): string[] {
  const database = new DatabaseSync(path);
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
  database.close();
  const details = plan.map(({ detail }) => detail);
  const sorts = details.some((it) => it.includes("TEMP B-TREE"));
  const whole = details.filter((it) => /^SCAN (?:runs|incidents|audit|watch_events|run_events)\b/.test(it));
  return sql.includes("LIMIT ?") && !sorts ? [] : whole;
}

test.each<[string, () => Promise<unknown>]>([
  ["vigie status", async () => [await store.auditEnd(), await store.incidents(false, 100)]],
  ["vigie runs", () => store.runs(false, 100)],
  ["vigie runs --open", () => store.runs(true, 100)],
  ["vigie incidents", () => store.incidents(false, 100)],
  ["vigie incidents --all", () => store.incidents(true, 100)],
  ["vigie run show", () => store.runsById("r-001000")],
  ["vigie incident show", () => store.incidentsById("i-001000")],
  ["vigie watch", async () => store.watchAfter((await store.lastCursor()) - 10, 100)],
  ["vigie audit", () => store.audit(MANY - 100, 100)],
  ["a check of what is new", () => store.checkAudit({ records: MANY - 1, head: CHAIN_START }, 500)],
  ["a witness", () => store.auditHash(MANY)],
  ["the policy's limits", () => store.runsFrom("r-001990")],
  ["forgetting", () => store.forgettable("runs", 1, { unixMs: 0, id: "" }, 50)],
  ["forgetting of incidents", () => store.forgettable("incidents", 1, { unixMs: 0, id: "" }, 50)],
  ["forgetting of events", () => store.prune(1, 50)],
])("%s goes through no table from end to end", async (_what, ask) => {
  const before = prepare.mock.calls.length;
  const answer = await ask();
  expect(answer).toBeDefined();
  asked = prepare.mock.calls.slice(before).map(([sql]) => sql);
  expect(asked.flatMap(scans)).toEqual([]);
});

test("the guard of these tests sees a statement that reads every row", () => {
  expect(scans("SELECT id FROM runs WHERE substr(id, 1, 3) = 'r-1' LIMIT 2")).not.toEqual([]);
  expect(scans("SELECT id FROM runs ORDER BY open, body LIMIT ?")).not.toEqual([]);
});
