/** What the notifier writes, and what it takes up; how it speaks in a whole cluster is tested with the simulator. */
import { Incident, IncidentState, NoticeCause, realClock, Severity, type Clock } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newIdentifier } from "../identifier.js";
import { openSqliteStore } from "../store/sqlite.js";
import type { Change, Store } from "../store/store.js";
import type { Channel } from "./channel.js";
import { createNotifier, type Notifier } from "./notifier.js";
import { NOON, RULES } from "./testing.js";

let store: Store;
let logged: object[];
beforeEach(() => {
  store = openSqliteStore(":memory:");
  logged = [];
});
afterEach(() => store.close());

const clock: Clock = { ...realClock, wallUnixMs: () => NOON, sleep: () => new Promise(() => undefined) };
const channel = (name: string, minSeverity = Severity.WARNING): Channel => ({
  name,
  type: "webhook",
  rules: { ...RULES, minSeverity },
  send: async () => Promise.resolve(""),
});

function notifier(...channels: Channel[]): Promise<Notifier> {
  return createNotifier({
    clock,
    store,
    channels,
    record: async (changes) => void (await store.commit(changes)),
    maySend: () => true,
    broken: () => "",
    openIncidents: () => [],
    openRuns: () => [],
    sender: () => ({ cluster: "", orchestratorNode: "h1", notLeading: "" }),
    newId: (prefix) => newIdentifier(prefix, NOON, () => 0), // chance that always gives the same
    log: (event, detail) => logged.push({ event, ...detail }),
  });
}

const change = (
  id: string,
  state = IncidentState.OPEN,
  severity = Severity.CRITICAL,
  runId = "",
): Change => ({ record: "incident", incident: Incident.create({ id, state, severity, runId }) });

test("a thousand incidents of one millisecond are a thousand notices, each with its name", async () => {
  const { withNotices } = await notifier(channel("ops"), channel("pager"));
  const changes = Array.from({ length: 1_000 }, (_, n) => change(`i-${n}`, IncidentState.NEEDS_PERSON));
  await store.commit(withNotices(changes));
  const { notices } = await store.outbox(0);
  expect(notices).toHaveLength(4_000);
  expect(notices.slice(0, 2).map(({ cause }) => cause)).toEqual([NoticeCause.OPENED, NoticeCause.OPENED]);
  const ofFirst = notices.filter((it) => it.about === "i-0" && it.channel === "ops");
  expect(ofFirst.map(({ cause }) => cause)).toEqual([NoticeCause.OPENED, NoticeCause.NEEDS_PERSON]);
});

test("that something is over is only for a channel that has heard of it, or is about to", async () => {
  const { withNotices } = await notifier(channel("all"), channel("pager", Severity.CRITICAL));
  await store.commit(withNotices([change("i-1", IncidentState.OPEN, Severity.WARNING)]));
  await store.commit(withNotices([change("i-1", IncidentState.CLOSED, Severity.WARNING, "r-1")]));
  const { notices } = await store.outbox(0);
  expect(notices.map((it) => [it.channel, it.cause])).toEqual([
    ["all", NoticeCause.OPENED],
    ["all", NoticeCause.CLOSED],
  ]);
});

test("what was over by itself before anybody heard of it wakes nobody; what a run mended is told", async () => {
  const { withNotices } = await notifier(channel("ops"));
  await store.commit(withNotices([change("i-1"), change("i-2")]));
  await store.commit(withNotices([change("i-1", IncidentState.CLOSED)]));
  await store.commit(withNotices([change("i-2", IncidentState.CLOSED, Severity.CRITICAL, "r-1")]));
  const { notices } = await store.outbox(0);
  expect(notices.map((it) => [it.about, it.cause])).toEqual([
    ["i-2", NoticeCause.OPENED],
    ["i-2", NoticeCause.CLOSED],
  ]);
});

test("what was about to be told of an incident that becomes quiet is not told, and of another it is", async () => {
  const { withNotices } = await notifier(channel("ops"));
  await store.commit(withNotices([change("i-1"), change("i-2")]));
  const maintenance = { node: "h3", untilUnixMs: NOON + 1 };
  const quiet = Incident.create({ id: "i-1", state: IncidentState.OPEN, maintenance });
  await store.commit(withNotices([{ record: "incident", incident: quiet }]));
  expect((await store.outbox(0)).notices.map(({ about }) => about)).toEqual(["i-2"]);
  await store.commit(
    withNotices([{ record: "incident", incident: { ...quiet, state: IncidentState.CLOSED } }]),
  );
  expect((await store.outbox(0)).notices.map(({ about }) => about)).toEqual(["i-2"]);
});

test("without a channel nothing is written", async () => {
  const { withNotices, status } = await notifier();
  expect(withNotices([change("i-1")])).toHaveLength(1);
  expect(status()).toEqual([]);
});

test("what a channel had to tell that is configured no more is said to be lost, and not kept for ever", async () => {
  const before = await notifier(channel("old"));
  await store.commit(before.withNotices([change("i-1")]));
  const after = await notifier(channel("new"));
  after.start(new AbortController().signal);
  await expect.poll(async () => (await store.outbox(0)).notices).toEqual([]);
  expect(logged).toEqual([
    { event: "notify.channel-forgotten", channel: "old", undelivered: 1, alarm: true },
  ]);
});
