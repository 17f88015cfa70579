import { expect, test } from "vitest";
import { CHAIN_START, chainHash, firstBrokenLink, type ChainedRecord } from "./hash-chain.js";

function chain(payloads: readonly string[]): ChainedRecord[] {
  let previousHash = CHAIN_START;
  return payloads.map((payload) => {
    const record = { previousHash, payload, hash: chainHash(previousHash, payload) };
    previousHash = record.hash;
    return record;
  });
}

test("a chain that nobody touched holds from its first record to its last", () => {
  expect(firstBrokenLink(chain(["a", "b", "c"]))).toBeUndefined();
});

test("a record that was changed, taken out or moved breaks the chain where it was", () => {
  const records = chain(["a", "b", "c", "d"]);
  const changed = records.map((r, i) => (i === 1 ? { ...r, payload: "B" } : r));
  expect(firstBrokenLink(changed)).toBe(1);
  expect(firstBrokenLink(records.filter((_, i) => i !== 1))).toBe(1);
  expect(
    firstBrokenLink([records[0], records[2], records[1], records[3]].filter((r) => r !== undefined)),
  ).toBe(1);
});
