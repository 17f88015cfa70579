/** The audit log in SQLite: appended to within the store's transactions, each record hashed together with the one before. */
import { CHAIN_START, chainHash, firstBrokenLink, type AuditRecord, type LogEnd } from "@vigie/proto";
import { number, text, type Row, type Sql } from "./sql.js";
import type { AuditPage, NewAudit } from "./store.js";

export interface AuditLog {
  /** Within a transaction; where that is rolled back, `rewind` to where it began must follow. */
  readonly append: (audit: NewAudit) => void;
  readonly rewind: (end: LogEnd) => void;
  readonly end: () => LogEnd;
  readonly hashOf: (sequence: number) => string | undefined;
  readonly after: (sequence: number, limit: number) => AuditRecord[];
  readonly check: (from: LogEnd, limit: number) => AuditPage;
}

export function createAuditLog(sql: Sql): AuditLog {
  let end = readEnd();
  return {
    append,
    rewind: (before) => void (end = before),
    end: () => end,
    hashOf: (sequence) =>
      text(sql.row("SELECT hash FROM audit WHERE sequence = ?", sequence), "hash") || undefined,
    after,
    check,
  };

  function append({ unixMs, actor, action, subject, detail }: NewAudit): void {
    const detailJson = JSON.stringify(detail ?? {});
    const head = chainHash(end.head, payloadOf({ unixMs, actor, action, subject, detailJson }));
    const records = sql.run(
      "INSERT INTO audit (unix_ms, actor, action, subject, detail_json, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
      unixMs,
      actor,
      action,
      subject,
      detailJson,
      end.head,
      head,
    );
    end = { records, head };
  }

  function readEnd(): LogEnd {
    const last = sql.row("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1");
    return { records: number(last, "sequence"), head: text(last, "hash") || CHAIN_START };
  }

  function after(sequence: number, limit: number): AuditRecord[] {
    return sql
      .rows("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", sequence, limit)
      .map(recordOf);
  }

  function check(from: LogEnd, limit: number): AuditPage {
    const isNew = sql.row("SELECT 1 FROM audit WHERE sequence > ? LIMIT 1", from.records) !== undefined;
    if (!isNew) return { upTo: from, broken: undefined }; // as in most seconds
    const records = after(from.records, limit);
    const links = records.map((record) => ({ ...record, payload: payloadOf(record) }));
    const broken = firstBrokenLink(links, from.head);
    if (broken !== undefined) return { upTo: from, broken: records[broken]?.sequence };
    const last = records.at(-1);
    return {
      upTo: last === undefined ? from : { records: last.sequence, head: last.hash },
      broken: undefined,
    };
  }
}

type Hashed = Pick<AuditRecord, "unixMs" | "actor" | "action" | "subject" | "detailJson">;

function payloadOf({ unixMs, actor, action, subject, detailJson }: Hashed): string {
  return JSON.stringify([unixMs, actor, action, subject, detailJson]);
}

function recordOf(row: Row): AuditRecord {
  return {
    sequence: number(row, "sequence"),
    unixMs: number(row, "unix_ms"),
    actor: text(row, "actor"),
    action: text(row, "action"),
    subject: text(row, "subject"),
    detailJson: text(row, "detail_json"),
    previousHash: text(row, "previous_hash"),
    hash: text(row, "hash"),
  };
}
