/**
 * The text of an audit record: what is hashed, and the line that an archive has of it. A line is the sequence, the hash,
 * and the hashed text itself, so that a few lines of any script can prove an archive:
 * hash = SHA-256 of the hash before, a line feed, and the text. An archive's first line says what it goes on from.
 */
import type { AuditRecord, LogEnd } from "@vigie/proto";

type Hashed = Pick<AuditRecord, "unixMs" | "actor" | "action" | "subject" | "detailJson">;

export function payloadOf({ unixMs, actor, action, subject, detailJson }: Hashed): string {
  return JSON.stringify([unixMs, actor, action, subject, detailJson]);
}

/** With its line feed. */
export function lineOf(record: AuditRecord): string {
  return `${record.sequence} ${record.hash} ${payloadOf(record)}\n`;
}

/** With its line feed. */
export function headerOf({ records, head }: LogEnd): string {
  return `# vigie audit 1, after record ${records} ${head}\n`;
}

const LINE = /^(\d+) ([0-9a-f]{64}) (\[[^]*\])$/; // JSON leaves U+2028 as it is, and a dot does not match it

/**
 * @param previousHash of the record before, which the line does not repeat
 * @returns undefined: the line is not what lineOf() writes
 */
export function recordOfLine(line: string, previousHash: string): AuditRecord | undefined {
  const [, sequence, hash, payload] = LINE.exec(line) ?? [];
  if (hash === undefined || payload === undefined) return undefined;
  const [unixMs, actor, action, subject, detailJson, ...more] = valuesIn(payload);
  if (typeof unixMs !== "number" || typeof actor !== "string" || typeof action !== "string") return undefined;
  if (typeof subject !== "string" || typeof detailJson !== "string" || more.length > 0) return undefined;
  const record = {
    sequence: Number(sequence),
    unixMs,
    actor,
    action,
    subject,
    detailJson,
    previousHash,
    hash,
  };
  return lineOf(record) === `${line}\n` ? record : undefined;
}

function valuesIn(payload: string): readonly unknown[] {
  try {
    const values: unknown = JSON.parse(payload);
    return Array.isArray(values) ? values : [];
  } catch {
    return [];
  }
}
