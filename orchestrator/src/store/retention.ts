/**
 * What is kept for how long. Once an hour what is older goes, in small portions, so that a report's commit never waits
 * for more than one of them; each portion is whole, and a crash in between leaves the rest to the next life.
 *
 * Ages are counted by the wall clock, and a wall clock leaps: one that says next year for an hour must not cost a year
 * of history. So they are counted to a moment of its own, which is on disk and goes at most twice as fast as this
 * process lives. It is behind the wall clock after a long stop, and catches up.
 */
import { explain, type Clock } from "@vigie/proto";
import type { Change, HistoryKind, Store } from "./store.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const HISTORY_PORTION = 50;
const ROWS_PORTION = 500;
const PAUSE_MS = 50; // between two portions

export interface KeptDays {
  readonly runs: number; // since they ended
  readonly incidents: number; // likewise
  readonly events: number; // of watchers, state changes, delivered messages
  readonly audit: number; // in the store; then in the archives, for good
}

export interface RetentionParts {
  readonly store: Pick<Store, "forgettable" | "prune" | "archive" | "auditEnd" | "retentionUnixMs">;
  readonly clock: Clock;
  readonly kept: () => KeptDays; // as the configuration says now
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

/** Goes on until `signal` aborts; a failure is told, and it is tried again an hour later. */
export async function keepRetention(parts: RetentionParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  let lastMs = clock.monotonicMs();
  while (!signal.aborted) {
    const nowMs = clock.monotonicMs();
    try {
      const unixMs = await countedTo(parts, nowMs - lastMs);
      lastMs = nowMs;
      await forgetOld(parts, unixMs, signal);
      await archiveOld(parts, daysBefore(unixMs, parts.kept().audit), signal);
    } catch (error) {
      log("retention.failed", { reason: explain(error), alarm: true });
    }
    await clock.sleep(HOUR_MS, signal);
  }
}

/** @param livedMs since this was asked last */
async function countedTo({ store, clock, record }: RetentionParts, livedMs: number): Promise<number> {
  const before = await store.retentionUnixMs();
  const wallUnixMs = clock.wallUnixMs();
  const unixMs = before === 0 ? wallUnixMs : Math.min(wallUnixMs, before + 2 * livedMs);
  if (unixMs !== before) await record([{ record: "retention", unixMs }]);
  return unixMs;
}

async function forgetOld(parts: RetentionParts, unixMs: number, signal: AbortSignal): Promise<void> {
  const { store, clock } = parts;
  const kept = parts.kept();
  await forgetHistory(parts, "runs", daysBefore(unixMs, kept.runs), signal);
  await forgetHistory(parts, "incidents", daysBefore(unixMs, kept.incidents), signal);
  while (!signal.aborted) {
    if ((await store.prune(daysBefore(unixMs, kept.events), ROWS_PORTION)) < ROWS_PORTION) return;
    await clock.sleep(PAUSE_MS, signal);
  }
}

/** At the beginning of a day, so that there is work once a day. */
function daysBefore(unixMs: number, days: number): number {
  return Math.floor(unixMs / DAY_MS - days) * DAY_MS;
}

/** First to the archive, and then out of the store: killed in between, the next life finds it there and goes on. */
async function archiveOld(
  { store, clock, record }: RetentionParts,
  beforeUnixMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { records: newest } = await store.auditEnd(); // what archiving adds to the log is another day's work
  while (!signal.aborted) {
    const changes = await store.archive(beforeUnixMs, ROWS_PORTION, clock.wallUnixMs());
    const [first] = changes;
    if (first === undefined) return;
    await record(changes);
    if (first.record === "archived" && first.archive.end.records >= newest) return;
    await clock.sleep(PAUSE_MS, signal);
  }
}

async function forgetHistory(
  { store, clock, record }: RetentionParts,
  kind: HistoryKind,
  beforeUnixMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let after = { unixMs: 0, id: "" }; !signal.aborted;) {
    const { ids, next } = await store.forgettable(kind, beforeUnixMs, after, HISTORY_PORTION);
    if (ids.length > 0) await record(forgetting(kind, ids, beforeUnixMs, clock.wallUnixMs()));
    if (next === undefined) return;
    after = next;
    await clock.sleep(PAUSE_MS, signal);
  }
}

/** The audit log says what is no more, and was. */
function forgetting(
  kind: HistoryKind,
  ids: readonly string[],
  beforeUnixMs: number,
  unixMs: number,
): Change[] {
  const detail = { endedBefore: new Date(beforeUnixMs).toISOString(), ids };
  const audit = { unixMs, actor: "engine", action: "store.forgot", subject: kind, detail };
  return [
    { record: "forget", kind, ids },
    { record: "audit", audit },
  ];
}
