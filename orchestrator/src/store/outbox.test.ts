/** The outbox on disk: what is to be told outlives a crash, an upgrade, and the channel that it was for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Incident, IncidentState, Message, NoticeCause, Severity } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Notice } from "./outbox.js";
import { migrate } from "./schema.js";
import { openSqliteStore } from "./sqlite.js";
import type { Change, Store } from "./store.js";

let folder: string;
let path: string;
const stores: Store[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-outbox-"));
  path = join(folder, "vigie.db");
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(): Store {
  const store = openSqliteStore(path);
  stores.push(store);
  return store;
}

const notice = (id: string, channel = "ops"): Notice => ({
  id,
  channel,
  unixMs: 7,
  cause: NoticeCause.OPENED,
  about: "i-1",
  severity: Severity.CRITICAL,
  text: "",
});
const noted = (id: string, channel?: string): Change => ({ record: "notice", notice: notice(id, channel) });
const composed = (id: string, taken: readonly string[], unixMs = 8): Change => ({
  record: "message",
  outgoing: { channel: "ops", message: Message.create({ id, unixMs }) },
  taken,
  told: [{ channel: "ops", about: "i-1", unixMs, thread: id }],
  over: [],
});

test("what is to be told is there after a crash, until a message has taken it, and that until it was delivered", async () => {
  await open().commit([noted("n-1"), noted("n-2"), noted("n-3", "pager")]);
  await open().commit([composed("m-1", ["n-1", "n-2"])]);
  const taken = await open().outbox(0);
  expect(taken.notices).toEqual([notice("n-3", "pager")]);
  expect(taken.messages.map(({ message }) => message.id)).toEqual(["m-1"]);
  expect(taken.told).toMatchObject([{ about: "i-1", thread: "m-1" }]);
  await open().commit([{ record: "delivered", messageId: "m-1", unixMs: 9 }]);
  const delivered = await open().outbox(0);
  expect(delivered.messages).toEqual([]);
  expect(delivered.composed).toEqual([{ channel: "ops", unixMs: 8 }]); // it counts for the limit
});

test("a notice whose cause could not be kept is not kept either", async () => {
  const store = open();
  const incident = Incident.create({ id: "i-1", state: IncidentState.OPEN });
  await store.commit([noted("n-1")]);
  const again = store.commit([{ record: "incident", incident }, noted("n-1")]); // the same id: refused as a whole
  await expect(again).rejects.toThrow();
  expect(await store.incidents(true, 10)).toEqual([]);
});

test("what is over, and a channel that is configured no more, are forgotten", async () => {
  const store = open();
  await store.commit([noted("n-1"), composed("m-1", []), noted("n-2", "pager")]);
  const over: Change = { ...composed("m-2", []), told: [], over: ["i-1"] } as Change;
  await store.commit([over]);
  expect((await store.outbox(0)).told).toEqual([]);
  await store.commit([{ record: "channel-forgotten", name: "ops" }]);
  const left = await store.outbox(0);
  expect([left.notices.map(({ channel }) => channel), left.messages]).toEqual([["pager"], []]);
});

test("only delivered messages grow old", async () => {
  const store = open();
  await store.commit([composed("m-1", [], 5), composed("m-2", [], 6)]);
  await store.commit([{ record: "delivered", messageId: "m-1", unixMs: 6 }]);
  await store.prune(1_000, 10);
  const { composed: kept, messages } = await store.outbox(0);
  expect([kept.length, messages.length]).toEqual([1, 1]);
});

test("a database from before there were notifications gets the tables, and keeps what it has", async () => {
  const incident = Incident.create({ id: "i-1", state: IncidentState.OPEN });
  const database = new DatabaseSync(path);
  migrate(database, 5);
  database
    .prepare("INSERT INTO incidents (id, closed, body) VALUES ('i-1', 0, ?)")
    .run(Incident.encode(incident).finish());
  database.close();
  const store = open();
  await store.commit([noted("n-1")]);
  expect([(await store.incidents(false, 1)).length, (await store.outbox(0)).notices.length]).toEqual([1, 1]);
});
