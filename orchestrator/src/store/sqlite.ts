/**
 * The store on Node's own SQLite: WAL, synchronous=FULL, one transaction a commit. Messages are kept as their
 * protobuf bytes, with the few columns beside them that are searched.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  CHAIN_START,
  chainHash,
  firstBrokenLink,
  Incident,
  IncidentState,
  Run,
  RunEvent,
  RunState,
  VigieError,
  WatchResponse,
  type AuditRecord,
  type LogEnd,
} from "@vigie/proto";
import { migrate } from "./schema.js";
import type { Transition } from "../view/transitions.js";
import type { Change, NewAudit, Store } from "./store.js";

const OPEN_RUNS: readonly RunState[] = [
  RunState.AWAITING_APPROVAL,
  RunState.RUNNING,
  RunState.WAITING,
  RunState.PAUSED,
  RunState.UNDOING,
  RunState.FROZEN,
];

const AUDIT_PAGE = 500;

/** @throws VigieError JOURNAL_BROKEN when the file cannot be opened */
export function openSqliteStore(path: string): Store {
  const database = openDatabase(path);
  const prepared = new Map<string, StatementSync>();
  let auditEnd = readAuditEnd();

  return {
    commit: async (changes) => commit(changes),
    epoch: async () => number(row("SELECT epoch FROM leadership WHERE one = 1"), "epoch"),
    killSwitch: async () => text(row("SELECT why FROM kill_switch WHERE one = 1"), "why"),
    incidents: async (includeClosed, limit) =>
      rows(
        "SELECT body FROM incidents WHERE closed = 0 OR ? = 1 ORDER BY id DESC LIMIT ?",
        includeClosed ? 1 : 0,
        limit,
      ).map(incidentOf),
    incidentsById: async (beginning) =>
      rows("SELECT body FROM incidents WHERE substr(id, 1, ?) = ? LIMIT 2", beginning.length, beginning).map(
        incidentOf,
      ),
    runs: async (openOnly, limit) =>
      rows(
        "SELECT body FROM runs WHERE open = 1 OR ? = 0 ORDER BY id DESC LIMIT ?",
        openOnly ? 1 : 0,
        limit,
      ).map((r) => Run.decode(blob(r))),
    runsById: async (beginning) =>
      rows("SELECT body FROM runs WHERE substr(id, 1, ?) = ? LIMIT 2", beginning.length, beginning).map((r) =>
        withEvents(Run.decode(blob(r))),
      ),
    transitions: async (node, minor, limit) =>
      rows(
        "SELECT * FROM transitions WHERE node = ? AND minor = ? ORDER BY id DESC LIMIT ?",
        node,
        minor,
        limit,
      ).map(transitionOf),
    watchAfter: async (cursor, limit) =>
      rows(
        "SELECT cursor, body FROM watch_events WHERE cursor > ? ORDER BY cursor LIMIT ?",
        cursor,
        limit,
      ).map((r) => ({
        ...WatchResponse.decode(blob(r)),
        cursor: number(r, "cursor"),
      })),
    lastCursor: async () => number(row("SELECT max(cursor) AS cursor FROM watch_events"), "cursor"),
    audit: async (after, limit) =>
      rows("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", after, limit).map(auditOf),
    auditEnd: async () => auditEnd,
    auditHash: async (sequence) =>
      text(rows("SELECT hash FROM audit WHERE sequence = ?", sequence)[0], "hash") || undefined,
    journals: async () =>
      new Map(
        rows("SELECT * FROM journals").map((r) => [
          text(r, "node"),
          { records: number(r, "records"), head: text(r, "head") },
        ]),
      ),
    firstBrokenAudit,
    prune: async (beforeUnixMs) => {
      run("DELETE FROM transitions WHERE unix_ms < ?", beforeUnixMs);
      run("DELETE FROM watch_events WHERE unix_ms < ?", beforeUnixMs);
    },
    close: () => database.close(),
  };

  function commit(changes: readonly Change[]): WatchResponse[] {
    const endBefore = auditEnd;
    const watched: WatchResponse[] = [];
    try {
      run("BEGIN IMMEDIATE");
      for (const change of changes) write(change, watched);
      run("COMMIT");
      return watched;
    } catch (cause) {
      auditEnd = endBefore;
      if (database.isTransaction) database.exec("ROLLBACK");
      throw new VigieError("JOURNAL_BROKEN", `${path} cannot be written`, { cause });
    }
  }

  function write(change: Change, watched: WatchResponse[]): void {
    switch (change.record) {
      case "incident": {
        const { incident } = change;
        const closed = incident.state === IncidentState.CLOSED ? 1 : 0;
        return run(
          "INSERT OR REPLACE INTO incidents (id, closed, body) VALUES (?, ?, ?)",
          incident.id,
          closed,
          Incident.encode(incident).finish(),
        );
      }
      case "run": {
        const open = OPEN_RUNS.includes(change.run.state) ? 1 : 0;
        const body = Run.encode({ ...change.run, events: [], progress: undefined }).finish();
        return run(
          "INSERT OR REPLACE INTO runs (id, open, body) VALUES (?, ?, ?)",
          change.run.id,
          open,
          body,
        );
      }
      case "run-event":
        return run(
          "INSERT INTO run_events (run_id, sequence, body) VALUES (?, ?, ?)",
          change.runId,
          change.event.sequence,
          RunEvent.encode(change.event).finish(),
        );
      case "audit":
        return writeAudit(change.audit);
      case "watch": {
        const event = WatchResponse.create({ unixMs: change.unixMs, event: change.event });
        const { lastInsertRowid } = statement("INSERT INTO watch_events (unix_ms, body) VALUES (?, ?)").run(
          change.unixMs,
          WatchResponse.encode(event).finish(),
        );
        return void watched.push({ ...event, cursor: Number(lastInsertRowid) });
      }
      case "transition": {
        const { unixMs, node, minor, before, after } = change.transition;
        return run(
          "INSERT INTO transitions (unix_ms, node, minor, before, after) VALUES (?, ?, ?, ?, ?)",
          unixMs,
          node,
          minor,
          before,
          after,
        );
      }
      case "epoch":
        return run("INSERT OR REPLACE INTO leadership (one, epoch) VALUES (1, ?)", change.epoch);
      case "journal":
        return run(
          "INSERT OR REPLACE INTO journals (node, records, head) VALUES (?, ?, ?)",
          change.node,
          change.end.records,
          change.end.head,
        );
      case "kill-switch":
        return run("INSERT OR REPLACE INTO kill_switch (one, why) VALUES (1, ?)", change.why);
    }
  }

  function writeAudit({ unixMs, actor, action, subject, detail }: NewAudit): void {
    const detailJson = JSON.stringify(detail ?? {});
    const hash = chainHash(auditEnd.head, auditPayload(unixMs, actor, action, subject, detailJson));
    const { lastInsertRowid } = statement(
      "INSERT INTO audit (unix_ms, actor, action, subject, detail_json, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).run(unixMs, actor, action, subject, detailJson, auditEnd.head, hash);
    auditEnd = { records: Number(lastInsertRowid), head: hash };
  }

  function readAuditEnd(): LogEnd {
    const last = row("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1");
    return { records: number(last, "sequence"), head: text(last, "hash") || CHAIN_START };
  }

  /** Page by page, with turns of the event loop between them: years of records must not hold up an acknowledgement. */
  async function firstBrokenAudit(): Promise<number | undefined> {
    let previousHash = CHAIN_START;
    for (let after = 0; ;) {
      const page = rows(
        "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
        after,
        AUDIT_PAGE,
      );
      const records = page.map(auditOf);
      const links = records.map((r) => ({
        previousHash: r.previousHash,
        hash: r.hash,
        payload: auditPayload(r.unixMs, r.actor, r.action, r.subject, r.detailJson),
      }));
      const broken = firstBrokenLink(links, previousHash);
      if (broken !== undefined) return records[broken]?.sequence;
      const last = records.at(-1);
      if (last === undefined) return undefined;
      after = last.sequence;
      previousHash = last.hash;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function withEvents(found: Run): Run {
    const events = rows("SELECT body FROM run_events WHERE run_id = ? ORDER BY sequence", found.id).map((r) =>
      RunEvent.decode(blob(r)),
    );
    return { ...found, events };
  }

  function statement(sql: string): StatementSync {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  }
  function run(sql: string, ...values: SQLInputValue[]): void {
    statement(sql).run(...values);
  }
  function row(sql: string): Row | undefined {
    return database.prepare(sql).get();
  }
  function rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return statement(sql).all(...values);
  }
}

type Row = Readonly<Record<string, SQLInputValue>>;

function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path);
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000",
    );
    migrate(database);
    return database;
  } catch (cause) {
    throw new VigieError("JOURNAL_BROKEN", `${path} cannot be opened`, { cause });
  }
}

function auditPayload(
  unixMs: number,
  actor: string,
  action: string,
  subject: string,
  detailJson: string,
): string {
  return JSON.stringify([unixMs, actor, action, subject, detailJson]);
}

function auditOf(r: Row): AuditRecord {
  return {
    sequence: number(r, "sequence"),
    unixMs: number(r, "unix_ms"),
    actor: text(r, "actor"),
    action: text(r, "action"),
    subject: text(r, "subject"),
    detailJson: text(r, "detail_json"),
    previousHash: text(r, "previous_hash"),
    hash: text(r, "hash"),
  };
}

function transitionOf(r: Row): Transition {
  return {
    unixMs: number(r, "unix_ms"),
    node: text(r, "node"),
    minor: number(r, "minor"),
    before: text(r, "before"),
    after: text(r, "after"),
  };
}

function incidentOf(r: Row): Incident {
  return Incident.decode(blob(r));
}

function blob(r: Row): Uint8Array {
  return r["body"] as Uint8Array;
}

function text(r: Row | undefined, column: string): string {
  return (r?.[column] as string | null | undefined) ?? "";
}

function number(r: Row | undefined, column: string): number {
  return Number(r?.[column] ?? 0);
}
