/**
 * The store on Node's own SQLite: WAL, synchronous=FULL, one transaction a commit. Messages are kept as their
 * protobuf bytes, with the few columns beside them that are searched.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  CHAIN_START,
  Incident,
  IncidentState,
  MaintenanceList,
  Message,
  Run,
  RunEvent,
  RunState,
  VigieError,
  WatchResponse,
} from "@vigie/proto";
import { openArchiveFiles } from "./archive-files.js";
import { createAuditArchives } from "./audit-archives.js";
import { migrate } from "./schema.js";
import { blob, createSql, number, text, type Row } from "./sql.js";
import { createAuditLog } from "./sqlite-audit.js";
import { createSqliteRetention } from "./sqlite-retention.js";
import { createSqliteOutbox } from "./sqlite-outbox.js";
import type { Transition } from "../view/transitions.js";
import type { Outgoing } from "./outbox.js";
import type { Change, Store } from "./store.js";

// Two statements each: of one with both cases SQLite would read every row.
const ALL_INCIDENTS = "SELECT id, body FROM incidents ORDER BY id DESC LIMIT ?";
const OPEN_INCIDENTS = "SELECT id, body FROM incidents WHERE closed = 0 ORDER BY id DESC LIMIT ?";
const ALL_RUNS = "SELECT id, body FROM runs ORDER BY id DESC LIMIT ?";
const OPEN_RUNS = "SELECT id, body FROM runs WHERE open = 1 ORDER BY id DESC LIMIT ?";

const OPEN: readonly RunState[] = [
  RunState.AWAITING_APPROVAL,
  RunState.RUNNING,
  RunState.WAITING,
  RunState.PAUSED,
  RunState.UNDOING,
  RunState.FROZEN,
];

const ENDED: readonly RunState[] = [RunState.SUCCEEDED, RunState.FAILED, RunState.ABORTED];

/** @throws VigieError JOURNAL_BROKEN when the file cannot be opened */
export function openSqliteStore(path: string): Store {
  const database = openDatabase(path);
  const sql = createSql(database);
  const { row, rows, run } = sql;
  const archives =
    path === ":memory:" ? undefined : createAuditArchives(sql, openArchiveFiles(archiveFolder(path)));
  const audit = createAuditLog(sql, archives);
  const outbox = createSqliteOutbox(sql);
  const retention = createSqliteRetention(sql);
  const unreadable = new Set<string>();

  return {
    unreadable: () => [...unreadable],
    commit: async (changes) => commit(changes),
    epoch: async () => number(row("SELECT epoch FROM leadership WHERE one = 1"), "epoch"),
    aliveUnixMs: async () => number(row("SELECT unix_ms FROM alive WHERE one = 1"), "unix_ms"),
    killSwitch: async () => {
      const set = row("SELECT number, why FROM kill_switch WHERE one = 1");
      return { number: number(set, "number"), why: text(set, "why") };
    },
    maintenance: async () => {
      const [list] = rows("SELECT body FROM maintenance").flatMap((r) =>
        readable("maintenance", () => MaintenanceList.decode(blob(r))),
      );
      return list ?? { number: 0, maintenances: [] };
    },
    incidents: async (includeClosed, limit) =>
      rows(includeClosed ? ALL_INCIDENTS : OPEN_INCIDENTS, limitOf(limit)).flatMap(incidentOf),
    incidentsById: async (beginning) =>
      rows(
        "SELECT id, body FROM incidents WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
        beginning,
        endOf(beginning),
      ).flatMap(incidentOf),
    runs: async (openOnly, limit) => rows(openOnly ? OPEN_RUNS : ALL_RUNS, limitOf(limit)).flatMap(runOf),
    runsFrom: async (id) =>
      rows("SELECT id, body FROM runs WHERE id >= ? ORDER BY id DESC", id).flatMap(runOf),
    runsById: async (beginning) =>
      rows(
        "SELECT id, body FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
        beginning,
        endOf(beginning),
      )
        .flatMap(runOf)
        .flatMap(withEvents),
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
    audit: audit.after,
    auditEnd: async () => audit.end(),
    auditBefore: audit.before,
    auditHash: audit.hashOf,
    archiveFolder: () => (archives === undefined ? "" : archiveFolder(path)),
    archives: async () => archives?.list() ?? [],
    archiveFaults: async () => archives?.faults() ?? [],
    archive: audit.archive,
    auditChecked: async () => {
      const known = row("SELECT * FROM audit_checked WHERE one = 1");
      return {
        upTo: { records: number(known, "records"), head: text(known, "head") || CHAIN_START },
        wholeUnixMs: number(known, "whole_unix_ms"),
      };
    },
    journals: async () =>
      new Map(
        rows("SELECT * FROM journals").map((r) => [
          text(r, "node"),
          { records: number(r, "records"), head: text(r, "head") },
        ]),
      ),
    outbox: async (composedAfterUnixMs) => {
      const { messages, ...rest } = outbox.read(composedAfterUnixMs);
      return { ...rest, messages: messages.flatMap(outgoingOf) };
    },
    checkAudit: audit.check,
    forgettable: async (kind, beforeUnixMs, after, limit) =>
      retention.forgettable(kind, beforeUnixMs, after, limit),
    prune: async (beforeUnixMs, limit) => retention.prune(beforeUnixMs, limit),
    retentionUnixMs: async () => number(row("SELECT unix_ms FROM retention WHERE one = 1"), "unix_ms"),
    close: () => database.close(),
  };

  function commit(changes: readonly Change[]): WatchResponse[] {
    const before = audit.end();
    const watched: WatchResponse[] = [];
    try {
      run("BEGIN IMMEDIATE");
      for (const change of changes) write(change, watched);
      run("COMMIT");
      return watched;
    } catch (cause) {
      audit.rewind(before);
      if (database.isTransaction) database.exec("ROLLBACK");
      if (isLocked(cause))
        throw new VigieError("UNAVAILABLE", `${path} is locked by another process`, { cause });
      throw new VigieError("JOURNAL_BROKEN", `${path} cannot be written`, { cause });
    }
  }

  function write(change: Change, watched: WatchResponse[]): void {
    switch (change.record) {
      case "incident": {
        const { incident } = change;
        const isClosed = incident.state === IncidentState.CLOSED;
        return void run(
          "INSERT OR REPLACE INTO incidents (id, closed, closed_unix_ms, body) VALUES (?, ?, ?, ?)",
          incident.id,
          isClosed ? 1 : 0,
          isClosed ? incident.closedUnixMs : 0,
          Incident.encode(incident).finish(),
        );
      }
      case "run": {
        const { state, events, plan } = change.run;
        const endedUnixMs = ENDED.includes(state) ? (events.at(-1)?.unixMs ?? plan?.plannedUnixMs ?? 0) : 0;
        const body = Run.encode({ ...change.run, events: [], progress: undefined }).finish();
        return void run(
          "INSERT OR REPLACE INTO runs (id, open, ended_unix_ms, body) VALUES (?, ?, ?, ?)",
          change.run.id,
          OPEN.includes(state) ? 1 : 0,
          endedUnixMs,
          body,
        );
      }
      case "run-event":
        return void run(
          "INSERT INTO run_events (run_id, sequence, body) VALUES (?, ?, ?)",
          change.runId,
          change.event.sequence,
          RunEvent.encode(change.event).finish(),
        );
      case "audit":
        return audit.append(change.audit);
      case "watch": {
        const event = WatchResponse.create({ unixMs: change.unixMs, event: change.event });
        const cursor = run(
          "INSERT INTO watch_events (unix_ms, body) VALUES (?, ?)",
          change.unixMs,
          WatchResponse.encode(event).finish(),
        );
        return void watched.push({ ...event, cursor });
      }
      case "transition": {
        const { unixMs, node, minor, before, after } = change.transition;
        return void run(
          "INSERT INTO transitions (unix_ms, node, minor, before, after) VALUES (?, ?, ?, ?, ?)",
          unixMs,
          node,
          minor,
          before,
          after,
        );
      }
      case "epoch":
        return void run("INSERT OR REPLACE INTO leadership (one, epoch) VALUES (1, ?)", change.epoch);
      case "alive":
        return void run("INSERT OR REPLACE INTO alive (one, unix_ms) VALUES (1, ?)", change.unixMs);
      case "archived":
        return audit.archived(change.archive);
      case "audit-checked": {
        const { upTo, wholeUnixMs } = change.checked;
        return void run(
          "INSERT OR REPLACE INTO audit_checked (one, records, head, whole_unix_ms) VALUES (1, ?, ?, ?)",
          upTo.records,
          upTo.head,
          wholeUnixMs,
        );
      }
      case "retention":
        return void run("INSERT OR REPLACE INTO retention (one, unix_ms) VALUES (1, ?)", change.unixMs);
      case "forget":
        return retention.forget(change.kind, change.ids);
      case "journal":
        return void run(
          "INSERT OR REPLACE INTO journals (node, records, head) VALUES (?, ?, ?)",
          change.node,
          change.end.records,
          change.end.head,
        );
      case "kill-switch":
        return void run(
          "INSERT OR REPLACE INTO kill_switch (one, number, why) VALUES (1, ?, ?)",
          change.stop.number,
          change.stop.why,
        );
      case "maintenance":
        return void run(
          "INSERT OR REPLACE INTO maintenance (one, body) VALUES (1, ?)",
          MaintenanceList.encode(change.list).finish(),
        );
      case "notice":
      case "notices-withdrawn":
      case "message":
      case "delivered":
      case "channel":
      case "channel-forgotten":
        return outbox.write(change);
    }
  }

  function withEvents(found: Run): Run[] {
    return readable(`run ${found.id}`, () => {
      const events = rows("SELECT body FROM run_events WHERE run_id = ? ORDER BY sequence", found.id);
      return { ...found, events: events.map((r) => RunEvent.decode(blob(r))) };
    });
  }

  function incidentOf(r: Row): Incident[] {
    return readable(`incident ${text(r, "id")}`, () => Incident.decode(blob(r)));
  }

  function outgoingOf(r: Row): Outgoing[] {
    return readable(`message ${text(r, "id")}`, () => ({
      channel: text(r, "channel"),
      message: Message.decode(blob(r)),
    }));
  }

  function runOf(r: Row): Run[] {
    return readable(`run ${text(r, "id")}`, () => Run.decode(blob(r)));
  }

  /** One row that is damaged must not hide all others. */
  function readable<T>(name: string, decode: () => T): T[] {
    try {
      return [decode()];
    } catch {
      unreadable.add(name);
      return [];
    }
  }
}

/** SQLite's own word for all rows is -1. */
function limitOf(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}

/** Behind everything that begins with it. */
function endOf(beginning: string): string {
  return `${beginning}\u{10ffff}`;
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** Beside the store: vigie.db has its archives in vigie.audit. */
function archiveFolder(path: string): string {
  return `${path.replace(/\.db$/, "")}.audit`;
}

function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path);
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000",
    );
    migrate(database);
    database.exec("PRAGMA busy_timeout = 0"); // from here on whoever waits for a lock waits without stopping the process
    return database;
  } catch (cause) {
    throw new VigieError("JOURNAL_BROKEN", `${path} cannot be opened`, { cause });
  }
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
