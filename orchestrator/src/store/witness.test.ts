import { CHAIN_START, Report, VigieError, type LogEnd } from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import { createWitness, type Witness } from "./witness.js";

const AUDIT: Readonly<Record<number, string>> = { 1: "a1", 2: "a2", 3: "a3" };
let alarms: string[];
let lookedUp: number[];

beforeEach(() => {
  alarms = [];
  lookedUp = [];
});

function witness(known: Readonly<Record<string, LogEnd>> = {}): Promise<Witness> {
  const store = {
    journals: async () => new Map(Object.entries(known)),
    auditHash: async (sequence: number) => (lookedUp.push(sequence), AUDIT[sequence]),
  };
  return createWitness(store, (event) => void alarms.push(event));
}

function report(journalRecords: number, journalHead: string, auditSeen?: LogEnd): Report {
  return Report.create({ journalRecords, journalHead, auditSeen });
}

/** What is written down, in short: "remember h2 3 c3", "journal.lost-records h2". */
async function taken(by: Witness, told: Report, node = "h2"): Promise<string[]> {
  return (await by.take(node, told, 7)).map((change) => {
    if (change.record === "journal")
      return `remember ${change.node} ${change.end.records} ${change.end.head}`;
    return change.record === "audit" ? `${change.audit.action} ${change.audit.subject}` : change.record;
  });
}

test("a journal that grows is remembered, and one that stays is not written again", async () => {
  const by = await witness();
  expect(await taken(by, report(2, "j2"))).toEqual(["remember h2 2 j2"]);
  expect(await taken(by, report(2, "j2"))).toEqual([]);
  expect(await taken(by, report(4, "j4"))).toEqual(["remember h2 4 j4"]);
  expect(alarms).toEqual([]);
});

test.each<[string, Report]>([
  ["is shorter than it was", report(2, "j2")],
  ["ends otherwise than it did", report(3, "x3")],
  ["is empty now", report(0, CHAIN_START)],
])("a journal that %s is written down, and then taken as it is", async (_what, told) => {
  const by = await witness({ h2: { records: 3, head: "j3" } });
  expect(await taken(by, told)).toEqual([
    `remember h2 ${told.journalRecords} ${told.journalHead}`,
    "journal.lost-records h2",
  ]);
  expect(alarms).toEqual(["journal.lost-records"]);
  expect(await taken(by, told)).toEqual([]);
});

test("an agent that does not count its records is taken as it is", async () => {
  const by = await witness({ h2: { records: 3, head: "j3" } });
  expect(await taken(by, report(0, "j9"))).toEqual([]);
});

test("an audit log that still has what its witnesses saw is whole, and is looked at once for each", async () => {
  const by = await witness();
  const seen = { records: 3, head: "a3" };
  expect(await taken(by, report(0, CHAIN_START, seen))).toEqual(["remember h2 0 " + CHAIN_START]);
  expect(await taken(by, report(0, CHAIN_START, seen))).toEqual([]);
  expect(lookedUp).toEqual([3]);
  expect(alarms).toEqual([]);
});

test("a record that a witness saw and whose archive is missing is written down, and the report is taken all the same", async () => {
  const by = await createWitness(
    {
      journals: async () => new Map([["h2", { records: 0, head: CHAIN_START }]]),
      auditHash: async () => Promise.reject(new VigieError("SOURCE_FAILED", "2026-01.log is missing")),
    },
    (event) => void alarms.push(event),
  );
  expect(await taken(by, report(0, CHAIN_START, { records: 3, head: "a3" }))).toEqual([
    "audit.lost-records h2",
  ]);
});

test.each<[string, LogEnd]>([
  ["is gone", { records: 4, head: "a4" }],
  ["is another one", { records: 3, head: "x3" }],
])("a record that a witness saw and that %s is written down, once", async (_what, seen) => {
  const by = await witness({ h2: { records: 0, head: CHAIN_START } });
  const told = report(0, CHAIN_START, seen);
  expect(await taken(by, told)).toEqual(["audit.lost-records h2"]);
  expect(await taken(by, told)).toEqual([]);
  expect(alarms).toEqual(["audit.lost-records"]);
});
