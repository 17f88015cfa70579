/**
 * Whether the audit log is what was written (I39), with work that grows with what is new. Each record is hashed once
 * after the start, page by page in the background, and from then on only those that came since; once a day all of them
 * again, for a record may be changed long after it was checked.
 */
import { CHAIN_START, explain, type Clock, type LogEnd } from "@vigie/proto";
import type { Store } from "./store.js";

const PAGE_RECORDS = 500;
const PAGE_EVERY_MS = 20; // a million records within a minute, and never more than a few ms at once
const NEW_EVERY_MS = 1_000;
const WHOLE_EVERY_MS = 86_400_000;

export interface AuditState {
  /** No record was found changed or missing; with `checked` less than `records`, so far. */
  readonly intact: boolean;
  readonly checked: number;
  readonly records: number;
}

export interface Auditor {
  readonly state: () => Promise<AuditState>;
}

/** Goes on until `signal` aborts. */
export function startAuditor(
  store: Pick<Store, "auditEnd" | "checkAudit">,
  clock: Clock,
  log: (event: string, detail: Record<string, unknown>) => void,
  signal: AbortSignal,
): Auditor {
  let checked: LogEnd = { records: 0, head: CHAIN_START };
  let wholeSinceMs = clock.monotonicMs();
  let broken: number | undefined;
  let failed = "";
  void check();
  return {
    state: async () => {
      const { records } = await store.auditEnd();
      if (records - checked.records <= PAGE_RECORDS) await checkPage(); // what came within the last second
      return {
        intact: broken === undefined && failed === "",
        checked: Math.min(checked.records, records),
        records,
      };
    },
  };

  async function check(): Promise<void> {
    while (!signal.aborted) {
      await checkPage();
      const behind = checked.records < (await store.auditEnd()).records && broken === undefined;
      await clock.sleep(behind ? PAGE_EVERY_MS : NEW_EVERY_MS, signal);
    }
  }

  async function checkPage(): Promise<void> {
    if (clock.monotonicMs() - wholeSinceMs >= WHOLE_EVERY_MS) {
      wholeSinceMs = clock.monotonicMs();
      checked = { records: 0, head: CHAIN_START };
    }
    try {
      const page = await store.checkAudit(checked, PAGE_RECORDS);
      failed = "";
      checked = page.upTo;
      if (page.broken !== undefined && page.broken !== broken)
        log("audit.broken", { sequence: page.broken, alarm: true });
      const isWhole = broken !== undefined && checked.records >= broken; // it was put back
      broken = page.broken ?? (isWhole ? undefined : broken);
    } catch (error) {
      failed = explain(error);
      log("audit.unread", { reason: failed, alarm: true });
    }
  }
}
