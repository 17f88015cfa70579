/**
 * The audit log: its newer records in SQLite, appended to within the store's transactions, each hashed together with the
 * one before; its older ones in archives.
 */
import {
  CHAIN_START,
  chainHash,
  firstBrokenLink,
  VigieError,
  type AuditRecord,
  type LogEnd,
} from "@vigie/proto";
import type { AuditArchives } from "./audit-archives.js";
import { payloadOf } from "./audit-record.js";
import { number, text, type Row, type Sql } from "./sql.js";
import type { AuditArchive, AuditPage, Change, NewAudit } from "./store.js";

export interface AuditLog {
  /** Within a transaction; where that is rolled back, `rewind` to where it began must follow. */
  readonly append: (audit: NewAudit) => void;
  /** Likewise. Takes out of the store what this archive holds. */
  readonly archived: (archive: AuditArchive) => void;
  readonly rewind: (end: LogEnd) => void;
  readonly end: () => LogEnd;
  readonly hashOf: (sequence: number) => Promise<string | undefined>;
  readonly after: (sequence: number, limit: number) => Promise<AuditRecord[]>;
  readonly before: (unixMs: number) => Promise<number>;
  readonly check: (from: LogEnd, limit: number) => Promise<AuditPage>;
  readonly archive: (beforeUnixMs: number, limit: number, unixMs: number) => Promise<readonly Change[]>;
}

/** @param archives undefined: a store in memory, which has none */
export function createAuditLog(sql: Sql, archives: AuditArchives | undefined): AuditLog {
  let end = readEnd();
  return {
    append,
    archived,
    rewind: (before) => void (end = before),
    end: () => end,
    hashOf,
    after,
    before,
    check,
    archive,
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
    if (last === undefined) return archivedEnd();
    return { records: number(last, "sequence"), head: text(last, "hash") };
  }

  function archivedEnd(): LogEnd {
    return archives?.end() ?? { records: 0, head: CHAIN_START };
  }

  function rowsAfter(sequence: number, limit: number): AuditRecord[] {
    return sql
      .rows("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", sequence, limit)
      .map(recordOf);
  }

  async function after(sequence: number, limit: number): Promise<AuditRecord[]> {
    const found: AuditRecord[] = [];
    for (let at = sequence; found.length < limit && at < archivedEnd().records;) {
      const page = (await archives?.after(at, limit - found.length)) ?? [];
      if (page.length === 0) break;
      found.push(...page);
      at = page.at(-1)?.sequence ?? at;
    }
    const rows = rowsAfter(found.at(-1)?.sequence ?? sequence, limit - found.length);
    return [...found, ...rows];
  }

  async function hashOf(sequence: number): Promise<string | undefined> {
    if (sequence < 1 || sequence > end.records) return undefined;
    const [record] = await after(sequence - 1, 1);
    return record?.sequence === sequence ? record.hash : undefined;
  }

  /** By halves, for times rise with the sequence but where the wall clock was set. */
  async function before(unixMs: number): Promise<number> {
    let low = archivedEnd().records;
    const first = rowsAfter(low, 1)[0];
    if (first === undefined || first.unixMs >= unixMs) return (await archivedBefore(unixMs)) ?? low;
    for (let high = end.records; low < high;) {
      const middle = Math.ceil((low + high) / 2);
      const [record] = rowsAfter(middle - 1, 1);
      if (record !== undefined && record.unixMs < unixMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async function archivedBefore(unixMs: number): Promise<number | undefined> {
    const archive = archives?.list().findLast(({ firstUnixMs }) => firstUnixMs < unixMs);
    if (archives === undefined || archive === undefined) return archives === undefined ? undefined : 0;
    for (let at = archive.after.records; at < archive.end.records;) {
      const page = await archives.after(at, PAGE_RECORDS);
      const later = page.find((record) => record.unixMs >= unixMs);
      if (later !== undefined) return later.sequence - 1;
      at = page.at(-1)?.sequence ?? archive.end.records;
    }
    return archive.end.records;
  }

  async function check(from: LogEnd, limit: number): Promise<AuditPage> {
    if (archives !== undefined && from.records < archives.end().records)
      return archives.check(from, limit, () => rowsAfter(archivedEnd().records, PAGE_RECORDS));
    const isNew = sql.row("SELECT 1 FROM audit WHERE sequence > ? LIMIT 1", from.records) !== undefined;
    if (!isNew) return { upTo: from, fault: undefined }; // as in most seconds
    const { records, broken } = holding(rowsAfter(from.records, limit), from.head);
    if (broken !== undefined) {
      const why = `record ${broken} is not what was written, or one before it was taken out`;
      return { upTo: from, fault: { sequence: broken, text: why, goOnFrom: undefined } };
    }
    const last = records.at(-1);
    return {
      upTo: last === undefined ? from : { records: last.sequence, head: last.hash },
      fault: undefined,
    };
  }

  async function archive(beforeUnixMs: number, limit: number, unixMs: number): Promise<readonly Change[]> {
    if (archives === undefined) return [];
    const from = archives.end();
    const { records, broken } = holding(rowsAfter(from.records, limit), from.head);
    if (broken !== undefined)
      throw new VigieError("JOURNAL_BROKEN", `record ${broken} is not what was written`);
    const old = records.slice(0, records.findLastIndex((record) => record.unixMs < beforeUnixMs) + 1);
    const period = periodOf(old[0]?.unixMs ?? 0);
    const other = old.findIndex((record) => periodOf(record.unixMs) !== period);
    const portion = other < 0 ? old : old.slice(0, other);
    if (portion.length === 0) return [];
    const written = await archives.write(portion, period);
    const { name: subject, end: upTo, bytes } = written;
    const audit = { unixMs, actor: "engine", action: "audit.archived", subject, detail: { ...upTo, bytes } };
    return [
      { record: "archived", archive: written },
      { record: "audit", audit },
    ];
  }

  function archived(written: AuditArchive): void {
    const { records, head } = written.end;
    const last = sql.row("SELECT hash FROM audit WHERE sequence = ?", records);
    if (text(last, "hash") !== head) throw new Error(`record ${records} is not the one that was archived`);
    archives?.keep(written);
    sql.run("DELETE FROM audit WHERE sequence <= ?", records);
  }
}

const PAGE_RECORDS = 500;

/** The month, in UTC, by which a record's archive is named. */
function periodOf(unixMs: number): string {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? "undated" : date.toISOString().slice(0, -17);
}

function holding(records: AuditRecord[], head: string) {
  const broken = firstBrokenLink(
    records.map((record) => ({ ...record, payload: payloadOf(record) })),
    head,
  );
  return { records, broken: broken === undefined ? undefined : records[broken]?.sequence };
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
