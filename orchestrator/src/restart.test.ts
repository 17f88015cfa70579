/** What an orchestrator takes up from the store of its earlier life. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Incident, IncidentState, realClock, Run, RunState } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createService } from "./api/service.js";
import { orchestratorConfigSchema } from "./config.js";
import { startOrchestrator, type Orchestrator } from "./orchestrator.js";
import { openSqliteStore } from "./store/sqlite.js";
import type { Change, Store } from "./store/store.js";

let folder: string;
let path: string;
let stop: AbortController;
const stores: Store[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-restart-"));
  path = join(folder, "vigie.db");
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  for (const store of stores.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function kept(changes: readonly Change[], damage = ""): Promise<void> {
  const store = openSqliteStore(path);
  await store.commit(changes);
  store.close();
  const database = new DatabaseSync(path);
  database.exec(damage);
  database.close();
}

async function startedAgain(): Promise<Orchestrator> {
  const store = openSqliteStore(path);
  stores.push(store);
  const config = orchestratorConfigSchema.parse({});
  const parts = {
    clock: realClock,
    random: Math.random,
    store,
    ownNode: "h1",
    config: () => config,
    channels: [],
    log: () => undefined,
  };
  return startOrchestrator(parts, stop.signal);
}

test("every open incident is taken up, however many there are", async () => {
  const incident = (n: number) => Incident.create({ id: `i-${n}`, state: IncidentState.OPEN });
  await kept(Array.from({ length: 1_500 }, (_, n) => ({ record: "incident", incident: incident(n) })));
  const orchestrator = await startedAgain();
  expect(orchestrator.desk.open()).toHaveLength(1_500);
});

test("beside an open run that cannot be read it starts, does not lead, and says which", async () => {
  const run = Run.create({ id: "r-7", state: RunState.RUNNING });
  await kept([{ record: "run", run }], "UPDATE runs SET body = x'0aff'");
  const orchestrator = await startedAgain();
  expect(orchestrator.leader.status()).toMatchObject({ leads: false });
  expect(orchestrator.leader.status().reason).toContain("run r-7: the rows in the store are damaged");
});

test("a run that has ended and cannot be read keeps it from nothing, also when somebody asks for it", async () => {
  const run = Run.create({ id: "r-7", state: RunState.SUCCEEDED });
  await kept([{ record: "run", run }], "UPDATE runs SET body = x'0aff'");
  const orchestrator = await startedAgain();
  expect(await orchestrator.store.runs(false, 10)).toEqual([]);
  expect(orchestrator.leader.status().reason).not.toContain("damaged");
});

test("an incident that cannot be read keeps it from nothing", async () => {
  const incident = Incident.create({ id: "i-7", state: IncidentState.OPEN });
  await kept([{ record: "incident", incident }], "UPDATE incidents SET body = x'0aff'");
  const orchestrator = await startedAgain();
  expect(orchestrator.leader.status().reason).not.toContain("damaged");
});

test("an archive of the audit log that is missing is told by the status and by a look at all of it", async () => {
  const audit = { unixMs: 1, actor: "anna", action: "x", subject: "r-1", detail: {} };
  await kept(Array.from({ length: 30 }, () => ({ record: "audit", audit })));
  const store = openSqliteStore(path);
  await store.commit(await store.archive(2, 20, 3));
  store.close();
  const file = join(folder, "vigie.audit", "000000000001-1970-01.log");
  const text = readFileSync(file);
  rmSync(file);
  const orchestrator = await startedAgain();
  const service = createService(orchestrator);
  const missing = `${file} is missing: put it back from a backup`;
  expect(await service.verifyAudit()).toMatchObject({ intact: false, faults: [missing] });
  expect(await service.getStatus()).toMatchObject({ auditIntact: false, auditFaults: [missing] });
  const since = { afterSequence: 0, limit: 5, sinceUnixMs: 1 };
  await expect(service.listAudit(since)).rejects.toThrow(missing);
  writeFileSync(file, text);
  expect(await service.verifyAudit()).toMatchObject({
    intact: true,
    archives: [{ firstSequence: 1, lastSequence: 20 }],
    folder: join(folder, "vigie.audit"),
  });
  expect(await service.getStatus()).toMatchObject({ auditIntact: true, auditFaults: [] });
  expect((await service.listAudit(since)).records.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
});
