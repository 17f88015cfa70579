/**
 * The older part of the audit log: which archives there are, by the store's own table, and what they hold. The table is
 * the checkpoint: where each archive ends, in records, hash and bytes, written in the commit that takes the records out
 * of the store. So the chain is proven from the first archive to the store's newest record, and an archive that is
 * missing, cut or changed is named.
 */
import {
  CHAIN_START,
  explain,
  firstBrokenLink,
  VigieError,
  type AuditRecord,
  type LogEnd,
} from "@vigie/proto";
import type { ArchiveFiles } from "./archive-files.js";
import { headerOf, lineOf, payloadOf, recordOfLine } from "./audit-record.js";
import { number, text, type Row, type Sql } from "./sql.js";
import type { AuditArchive, AuditPage } from "./store.js";

const PLACES_REMEMBERED = 8; // readers that go through an archive at the same time
const TAIL_BYTES = 4 * 1024 * 1024; // of a portion that was written, and whose commit did not come

export interface AuditArchives {
  /** Oldest first. */
  readonly list: () => readonly AuditArchive[];
  /** Where the last one ends, and the store's own records begin. */
  readonly end: () => LogEnd;
  /** Records after this one, of one archive, at most so many. @throws VigieError SOURCE_FAILED */
  readonly after: (sequence: number, limit: number) => Promise<AuditRecord[]>;
  /** @param next the records that the store has behind the archives */
  readonly check: (from: LogEnd, limit: number, next: () => readonly AuditRecord[]) => Promise<AuditPage>;
  /** What is wrong by the files' sizes alone. */
  readonly faults: () => Promise<readonly string[]>;
  /**
   * Writes records behind the last archive, or into a new one where `period` is another than its.
   * @returns the archive as it is then; the store must keep it before it forgets the records
   * @throws VigieError CONFLICT, SOURCE_FAILED
   */
  readonly write: (records: readonly AuditRecord[], period: string) => Promise<AuditArchive>;
  /** Within a transaction. */
  readonly keep: (archive: AuditArchive) => void;
}

/** Behind a record of an archive, where the next one begins. */
interface Place {
  readonly name: string;
  readonly byte: number;
  readonly head: string;
}

export function createAuditArchives(sql: Sql, files: ArchiveFiles): AuditArchives {
  const places = new Map<number, Place>(); // by the sequence of the record before
  return { list, end, after, check, faults, write, keep };

  function list(): AuditArchive[] {
    let end: LogEnd = { records: 0, head: CHAIN_START };
    return sql.rows("SELECT * FROM audit_archives ORDER BY first_sequence").map((row) => {
      const archive = archiveOf(row, end);
      end = archive.end;
      return archive;
    });
  }

  function end(): LogEnd {
    return endOf(sql.row("SELECT * FROM audit_archives ORDER BY first_sequence DESC LIMIT 1"));
  }

  function keep({ name, firstSequence, firstUnixMs, end: { records, head }, bytes }: AuditArchive): void {
    sql.run(
      "INSERT OR REPLACE INTO audit_archives (first_sequence, name, first_unix_ms, records, head, bytes) VALUES (?, ?, ?, ?, ?, ?)",
      firstSequence,
      name,
      firstUnixMs,
      records,
      head,
      bytes,
    );
  }

  async function write(records: readonly AuditRecord[], period: string): Promise<AuditArchive> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) throw new Error("nothing to archive");
    const newest = list().at(-1);
    const goesOn = newest !== undefined && newest.name.endsWith(suffixOf(period));
    const archive = goesOn ? newest : newArchive(first, period, end());
    const lines = records.map(lineOf).join("");
    const added = goesOn ? lines : `${headerOf(archive.after)}${lines}`;
    await files.append(archive.name, archive.bytes, added);
    const bytes = archive.bytes + Buffer.byteLength(added);
    return { ...archive, end: { records: last.sequence, head: last.hash }, bytes };
  }

  async function after(sequence: number, limit: number): Promise<AuditRecord[]> {
    const archive = list().find(({ end: { records } }) => records > sequence);
    if (archive === undefined || sequence < archive.after.records) return [];
    const { records, fault } = await read(archive, sequence, limit);
    if (records.length === 0) throw new VigieError("SOURCE_FAILED", fault);
    return records;
  }

  async function check(from: LogEnd, limit: number, next: () => readonly AuditRecord[]): Promise<AuditPage> {
    const archives = list();
    const archive = archives.find(({ end: { records } }) => records > from.records);
    if (archive === undefined) return { upTo: from, fault: undefined };
    const broken = (sequence: number, why: string): AuditPage => ({
      upTo: from,
      fault: { sequence, text: why, goOnFrom: archive.end },
    });
    if (archive.firstSequence !== archive.after.records + 1)
      return broken(
        archive.after.records + 1,
        `records ${archive.after.records + 1} to ${archive.firstSequence - 1} are in no archive that the store knows of`,
      );
    const { records, fault } = await read(archive, from.records, limit).catch((error: unknown) => ({
      records: [],
      fault: explain(error),
    }));
    const links = records.map((record) => ({ ...record, payload: payloadOf(record) }));
    const bad = firstBrokenLink(links, from.head);
    if (bad !== undefined) {
      const sequence = from.records + bad + 1;
      return broken(sequence, `${pathOf(archive)} is changed at record ${sequence}`);
    }
    const last = records.at(-1);
    if (last === undefined) return broken(from.records + 1, fault);
    const upTo = { records: last.sequence, head: last.hash };
    if (upTo.records < archive.end.records) return { upTo, fault: undefined };
    const why = await faultAtEnd(archive, upTo, archive === archives.at(-1), next);
    return why === "" ? { upTo, fault: undefined } : broken(upTo.records, why);
  }

  /** @returns `fault` says why there are no records */
  async function read(
    archive: AuditArchive,
    sequence: number,
    limit: number,
  ): Promise<{ readonly records: AuditRecord[]; readonly fault: string }> {
    const known = places.get(sequence);
    places.delete(sequence);
    let place = known?.name === archive.name ? known : undefined;
    let at = sequence;
    if (place === undefined) {
      const [header = ""] = await files.lines(archive.name, 0, archive.bytes, 1);
      if (`${header}\n` !== headerOf(archive.after))
        return { records: [], fault: `${pathOf(archive)} is changed at its first line` };
      place = { name: archive.name, byte: Buffer.byteLength(header) + 1, head: archive.after.head };
      at = archive.after.records;
    }
    for (;;) {
      const lines = await files.lines(archive.name, place.byte, archive.bytes, limit);
      const records = recordsIn(lines, at, place.head);
      const last = records.at(-1);
      if (last === undefined)
        return {
          records,
          fault:
            lines.length === 0
              ? `${pathOf(archive)} is cut: it ends with record ${at}, and had ${archive.end.records}`
              : `${pathOf(archive)} is changed at record ${at + 1}`,
        };
      const read = lines.slice(0, records.length).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
      place = { name: archive.name, byte: place.byte + read, head: last.hash };
      at = last.sequence;
      const wanted = records.filter((record) => record.sequence > sequence);
      if (wanted.length === 0) continue;
      remember(at, place);
      return { records: wanted, fault: "" };
    }
  }

  function remember(sequence: number, place: Place): void {
    places.set(sequence, place);
    for (const oldest of places.keys()) if (places.size > PLACES_REMEMBERED) places.delete(oldest);
  }

  async function faultAtEnd(
    archive: AuditArchive,
    upTo: LogEnd,
    isLast: boolean,
    next: () => readonly AuditRecord[],
  ): Promise<string> {
    if (upTo.head !== archive.end.head)
      return `${pathOf(archive)} is changed: record ${upTo.records} is not what the store says that it is`;
    const tail = await files.tail(archive.name, archive.bytes, TAIL_BYTES);
    if (tail.length === 0) return "";
    const expected = Buffer.from(next().map(lineOf).join(""));
    if (isLast && expected.subarray(0, tail.length).equals(tail)) return ""; // its commit has yet to come
    return `${pathOf(archive)} goes on after record ${upTo.records} with what this store did not write there`;
  }

  async function faults(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const archive of list()) {
      try {
        const bytes = await files.bytes(archive.name);
        if (bytes < archive.bytes)
          found.push(`${pathOf(archive)} is cut: ${bytes} bytes of ${archive.bytes} are left`);
      } catch (error) {
        found.push(explain(error));
      }
    }
    return found;
  }

  function pathOf({ name }: AuditArchive): string {
    return `${files.folder}/${name}`;
  }
}

/** Those that follow on `sequence` without a gap, up to the first line that is no record. */
function recordsIn(lines: readonly string[], sequence: number, head: string): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const line of lines) {
    const record = recordOfLine(line, records.at(-1)?.hash ?? head);
    if (record?.sequence !== sequence + records.length + 1) break;
    records.push(record);
  }
  return records;
}

function suffixOf(period: string): string {
  return `-${period}.log`;
}

/** Named so that their order by name is that of the chain. */
function newArchive({ sequence, unixMs }: AuditRecord, period: string, after: LogEnd): AuditArchive {
  const name = `${String(sequence).padStart(12, "0")}${suffixOf(period)}`;
  return { name, firstSequence: sequence, firstUnixMs: unixMs, after, end: after, bytes: 0 };
}

function archiveOf(row: Row, after: LogEnd): AuditArchive {
  return {
    name: text(row, "name"),
    firstSequence: number(row, "first_sequence"),
    firstUnixMs: number(row, "first_unix_ms"),
    after,
    end: endOf(row),
    bytes: number(row, "bytes"),
  };
}

function endOf(row: Row | undefined): LogEnd {
  return { records: number(row, "records"), head: text(row, "head") || CHAIN_START };
}
