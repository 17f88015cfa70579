/** What the answers cost that people ask for all the time, with a long history against a short one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  openSqliteStore,
  orchestratorConfigSchema,
  startOrchestrator,
  createService,
} from "@vigie/orchestrator";
import { realClock } from "@vigie/proto";
import { median } from "./figures.js";
import type { Part } from "./part.js";

const FEW = 1_000;
const MANY = 1_000_000;
const AT_ONCE = 5_000;
const MEASURED = 200;
const DETAIL = { runbook: "reset-stalled-sync", step: "cut-link", text: "x".repeat(120) };

/** Status after a restart, as `vigie status` asks for it; and the newest records, as `vigie audit` does. */
export const storePart: Part = {
  name: "store",
  runs: 1,
  run: async (_options, note) => {
    const few = await answersMs(FEW);
    const many = await answersMs(MANY);
    const ratio = many.status / few.status;
    note(
      `status after ${MANY} audit records against after ${FEW}: ${many.status.toFixed(3)} ms, ${few.status.toFixed(3)} ms, ${ratio.toFixed(2)} times`,
    );
    note(
      `the newest 100 audit records, the same: ${many.audit.toFixed(2)} ms, ${few.audit.toFixed(2)} ms; start to the first status: ${many.start.toFixed(0)} ms, ${few.start.toFixed(0)} ms`,
    );
    return { status_long_ratio: ratio, status_long_ms: many.status };
  },
};

async function answersMs(records: number) {
  const folder = mkdtempSync(join(tmpdir(), "vigie-bench-"));
  try {
    const path = join(folder, "vigie.db");
    await fill(path, records);
    return await measure(path, records);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As an orchestrator leaves it that has checked all of it. */
async function fill(path: string, records: number): Promise<void> {
  const store = openSqliteStore(path);
  const now = Date.now();
  for (let done = 0; done < records; done += AT_ONCE) {
    const count = Math.min(AT_ONCE, records - done);
    const audit = { unixMs: now, actor: "engine", action: "run.step-result", subject: "r-1", detail: DETAIL };
    await store.commit(Array.from({ length: count }, () => ({ record: "audit", audit })));
  }
  const upTo = await store.auditEnd();
  await store.commit([{ record: "audit-checked", checked: { upTo, wholeUnixMs: now } }]);
  store.close();
}

async function measure(path: string, records: number) {
  const stop = new AbortController();
  const begunMs = performance.now();
  const store = openSqliteStore(path);
  const config = orchestratorConfigSchema.parse({});
  const parts = {
    clock: realClock,
    random: Math.random,
    store,
    ownNode: "h1",
    config: () => config,
    channels: [],
  };
  const orchestrator = await startOrchestrator({ ...parts, log: () => undefined }, stop.signal);
  const service = createService(orchestrator);
  await service.getStatus();
  const start = performance.now() - begunMs;
  const audit = { unixMs: Date.now(), actor: "engine", action: "x", subject: "r-1", detail: DETAIL };
  const times: { readonly status: number; readonly audit: number }[] = [];
  for (let n = 0; n < MEASURED; n += 1) {
    await orchestrator.recorder.record([{ record: "audit", audit }]); // something new is there to be checked each time
    const beforeMs = performance.now();
    await service.getStatus();
    const statusMs = performance.now();
    await service.listAudit({ afterSequence: records - 100, limit: 100, sinceUnixMs: 0 });
    times.push({ status: statusMs - beforeMs, audit: performance.now() - statusMs });
  }
  stop.abort();
  store.close();
  return {
    start,
    status: median(times.map(({ status }) => status)),
    audit: median(times.map((it) => it.audit)),
  };
}
