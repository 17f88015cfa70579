/**
 * What may be forgotten, in SQLite. A run goes in one row and its log behind it, portion by portion: the list of runs
 * whose logs are yet to go is on disk, so that a crash in between leaves nothing over.
 */
import { Incident, Run } from "@vigie/proto";
import { blob, number, text, type Row, type Sql } from "./sql.js";
import type { Forgettable, HistoryKind, HistoryPlace } from "./store.js";

export interface SqliteRetention {
  readonly forgettable: (
    kind: HistoryKind,
    beforeUnixMs: number,
    after: HistoryPlace,
    limit: number,
  ) => Forgettable;
  /** Within a transaction. */
  readonly forget: (kind: HistoryKind, ids: readonly string[]) => void;
  readonly prune: (beforeUnixMs: number, limit: number) => number;
}

const CANDIDATES: Readonly<Record<HistoryKind, string>> = {
  runs: "SELECT id, ended_unix_ms AS unix_ms, body FROM runs WHERE ended_unix_ms > 0 AND ended_unix_ms < ? AND (ended_unix_ms, id) > (?, ?) ORDER BY ended_unix_ms, id LIMIT ?",
  incidents:
    "SELECT id, closed_unix_ms AS unix_ms, body FROM incidents WHERE closed_unix_ms > 0 AND closed_unix_ms < ? AND (closed_unix_ms, id) > (?, ?) ORDER BY closed_unix_ms, id LIMIT ?",
};

/** Each with its rowids by age first, so that a portion reads no more than it deletes. */
const PRUNED: readonly string[] = [
  "DELETE FROM transitions WHERE id IN (SELECT id FROM transitions WHERE unix_ms < ? LIMIT ?)",
  "DELETE FROM watch_events WHERE cursor IN (SELECT cursor FROM watch_events WHERE unix_ms < ? LIMIT ?)",
  "DELETE FROM messages WHERE rowid IN (SELECT rowid FROM messages WHERE unix_ms < ? AND delivered_unix_ms > 0 LIMIT ?)",
];

export function createSqliteRetention({ run, changed, row, rows }: Sql): SqliteRetention {
  return {
    forgettable: (kind, beforeUnixMs, after, limit) => {
      const found = rows(CANDIDATES[kind], beforeUnixMs, after.unixMs, after.id, limit);
      const last = found.at(-1);
      const isNeeded = kind === "runs" ? isRunNeeded : incidentOfOpenRun();
      return {
        ids: found.filter((it) => !isNeeded(it) && !isToBeTold(it)).map((it) => text(it, "id")),
        next:
          found.length < limit || last === undefined
            ? undefined
            : { unixMs: number(last, "unix_ms"), id: text(last, "id") },
      };
    },
    forget: (kind, ids) => {
      for (const id of ids) {
        if (kind === "incidents") run("DELETE FROM incidents WHERE id = ? AND closed = 1", id);
        else if (changed("DELETE FROM runs WHERE id = ? AND open = 0", id) > 0)
          run("INSERT OR IGNORE INTO forgotten_runs (id) VALUES (?)", id);
      }
    },
    prune: (beforeUnixMs, limit) => {
      let left = limit;
      for (const sql of PRUNED) if (left > 0) left -= changed(sql, beforeUnixMs, left);
      return limit - pruneLogs(left);
    },
  };

  /** An incident that stands still shows the run that did not mend it. */
  function isRunNeeded(it: Row): boolean {
    const incidentId = decoded(() => Run.decode(blob(it)))?.plan?.incidentId;
    if (incidentId === undefined) return isDamaged(() => Run.decode(blob(it)));
    return row("SELECT 1 FROM incidents WHERE id = ? AND closed = 0", incidentId) !== undefined;
  }

  function incidentOfOpenRun(): (it: Row) => boolean {
    const open = rows("SELECT body FROM runs WHERE open = 1");
    const needed = new Set(open.map((it) => decoded(() => Run.decode(blob(it)))?.plan?.incidentId));
    return (it) => needed.has(text(it, "id")) || isDamaged(() => Incident.decode(blob(it)));
  }

  /** A channel has yet to tell of it, or to say that it is over. */
  function isToBeTold(it: Row): boolean {
    const id = text(it, "id");
    const sql = "SELECT 1 FROM notices WHERE about = ? UNION ALL SELECT 1 FROM told WHERE about = ? LIMIT 1";
    return row(sql, id, id) !== undefined;
  }

  /** @returns what is left of the limit */
  function pruneLogs(limit: number): number {
    let left = limit;
    while (left > 0) {
      const next = row("SELECT id FROM forgotten_runs LIMIT 1");
      if (next === undefined) break;
      const id = text(next, "id");
      const sql =
        "DELETE FROM run_events WHERE rowid IN (SELECT rowid FROM run_events WHERE run_id = ? LIMIT ?)";
      left -= changed(sql, id, left);
      if (left > 0) left -= changed("DELETE FROM forgotten_runs WHERE id = ?", id);
    }
    return left;
  }
}

function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

/** What cannot be read is left for a person. */
function isDamaged(decode: () => unknown): boolean {
  return decoded(decode) === undefined;
}
