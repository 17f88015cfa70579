/**
 * The chain that makes a log tamper-evident (I39): each record's hash covers the record before it, so a record
 * that was changed, taken out or moved shows at the next one. It detects; it does not prevent.
 */
import { createHash } from "node:crypto";

export const CHAIN_START = "0".repeat(64);

/** @param payload the record without its own hash, in the exact text that is stored */
export function chainHash(previousHash: string, payload: string): string {
  return createHash("sha256").update(previousHash).update("\n").update(payload).digest("hex");
}

export interface ChainedRecord {
  readonly previousHash: string;
  readonly hash: string;
  readonly payload: string;
}

/**
 * @param from the hash that the first record must continue
 * @returns the index of the first record that does not hold, or undefined when all do
 */
export function firstBrokenLink(records: Iterable<ChainedRecord>, from = CHAIN_START): number | undefined {
  let previous = from;
  let index = 0;
  for (const record of records) {
    const holds = record.previousHash === previous && record.hash === chainHash(previous, record.payload);
    if (!holds) return index;
    previous = record.hash;
    index += 1;
  }
  return undefined;
}
