/** A record of the journal, as it is and as a line: `HASH {"unixMs":…,"entry":{…}}`. */
import { chainHash, type ActionResult, type LogEnd, type MaintenanceList, type Stop } from "@vigie/proto";

/** A key that was begun and has no result. */
export interface OpenIntent {
  readonly key: string;
  readonly body: string;
  readonly sinceUnixMs: number;
}

export type JournalEntry =
  | {
      readonly kind: "intent";
      readonly key: string;
      readonly body: string;
      readonly action: string;
      readonly detail: unknown;
    }
  | { readonly kind: "result"; readonly key: string; readonly body: string; readonly result: ActionResult }
  | { readonly kind: "epoch"; readonly epoch: number }
  | { readonly kind: "stop"; readonly stop: Stop }
  | { readonly kind: "maintenance"; readonly maintenance: MaintenanceList }
  | { readonly kind: "sweep"; readonly detail: unknown }
  | {
      readonly kind: "checkpoint";
      readonly after: LogEnd; // of the record before it
      readonly epoch: number;
      readonly stop: Stop;
      readonly maintenance?: MaintenanceList; // none in a checkpoint of an older agent
      readonly open: readonly OpenIntent[];
    };

const HASH_LENGTH = 64;

export interface JournalRecord {
  readonly hash: string;
  readonly entry: JournalEntry;
  readonly unixMs: number;
  readonly after: LogEnd; // the chain's end before it
}

/** @param head the hash of the record before it */
export function lineOf(
  entry: JournalEntry,
  unixMs: number,
  head: string,
): { readonly hash: string; readonly line: string } {
  const payload = JSON.stringify({ unixMs, entry });
  const hash = chainHash(head, payload);
  return { hash, line: `${hash} ${payload}\n` };
}

/** @returns undefined where the line is not what was written behind the chain's end; a first checkpoint says its own */
export function recordIn(line: string, head: string, count: number): JournalRecord | undefined {
  const hash = line.slice(0, HASH_LENGTH);
  const payload = line.slice(HASH_LENGTH + 1);
  if (line[HASH_LENGTH] !== " ") return undefined;
  try {
    const { entry, unixMs } = parsePayload(payload);
    const isFirst = count === 0 && entry.kind === "checkpoint";
    const after = isFirst ? entry.after : { records: count, head };
    return chainHash(after.head, payload) === hash ? { hash, entry, unixMs, after } : undefined;
  } catch {
    return undefined;
  }
}

/** @throws where it is none */
export function entryIn(line: string): JournalEntry {
  return parsePayload(line.slice(HASH_LENGTH + 1)).entry;
}

function parsePayload(text: string): { readonly entry: JournalEntry; readonly unixMs: number } {
  return JSON.parse(text) as { entry: JournalEntry; unixMs: number };
}
