/** What people hear of a simulated cluster, in virtual time: enough, not too often, and whatever happens to whom. */
import { createService, type Store } from "@vigie/orchestrator";
import {
  IncidentKind,
  IncidentState,
  MessageReason,
  NoticeCause,
  VigieError,
  type Message,
} from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { nodeName, threeNodes } from "../simulator/cluster-spec.js";
import { createSimCluster, type SimCluster, type SimOptions } from "../simulator/cluster.js";
import { endAt, loseDisk, startResync } from "../simulator/drbd-model.js";
import { fakeChannel, type FakeChannel } from "../simulator/fake-channel.js";
import { diskOf, H2 } from "../simulator/stages.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";

const MINUTE_MS = 60_000;
const NEW_MASTER = "h2.sim.example";
const clusters: SimCluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.end();
});

async function begun(fakes: readonly FakeChannel[], options: SimOptions = {}) {
  const clock = createVirtualClock();
  const channels = () => fakes.map(({ channel }) => channel);
  const cluster = await createSimCluster(clock, { channels, inMemory: true, ...options });
  clusters.push(cluster);
  await clock.advance(12_000);
  return { clock, cluster };
}

async function stall(clock: VirtualClock, cluster: SimCluster, ...names: string[]): Promise<void> {
  for (const name of names) startResync(diskOf(cluster.world, name), 40_000);
  await clock.advance(5_000);
  for (const name of names) diskOf(cluster.world, name).blackhole = "this-connection";
}

/** In leaps: nothing is to happen in it but what people are told. */
async function wait(clock: VirtualClock, minutes: number): Promise<void> {
  for (let s = 0; s < minutes * 60; s += 2) await clock.leap(2_000);
}

/** As many incidents have come and gone. */
function healed(cluster: SimCluster, count: number): boolean {
  const moving = cluster.world.disks.every(({ blackhole }) => blackhole === "none");
  return moving && cluster.world.disks.length >= count && cluster.orchestrator().desk.open().length === 0;
}

const ASK = { config: { policy: { stalled_sync: "ask" } } };
const abouts = (messages: readonly Message[]): string[] =>
  messages.flatMap(({ items }) => items.map(({ about }) => about));
const causesOf = (messages: readonly Message[], about: string): NoticeCause[] =>
  messages.flatMap(({ items }) => items.filter((it) => it.about === about).flatMap((it) => it.causes));

test("a stall that is healed by itself is one message, which says what was done", async () => {
  const ops = fakeChannel("ops");
  const { clock, cluster } = await begun([ops]);
  await stall(clock, cluster, "web1");
  await clock.advance(MINUTE_MS);
  await wait(clock, 5);
  expect(ops.received).toHaveLength(1);
  expect(ops.received[0]?.items).toMatchObject([
    { kind: IncidentKind.STALLED_SYNC, state: IncidentState.CLOSED, command: "" },
  ]);
});

test("sixty stalls between two nodes are at most two messages a channel, with all sixty in them", async () => {
  const fakes = [fakeChannel("ops"), fakeChannel("pager")];
  const { nodes, instances: all } = threeNodes(180);
  const instances = all.filter(({ primary }) => primary === nodeName(1)); // sixty, all with their copies on h2
  const { clock, cluster } = await begun(fakes, { instances: { nodes, instances } });
  await stall(clock, cluster, ...instances.map(({ name }) => name.replace(".sim.example", "")));
  await clock.advanceUntil(() => healed(cluster, 60), 2 * MINUTE_MS);
  await wait(clock, 6);
  expect(cluster.orchestrator().desk.open()).toEqual([]);
  for (const { received } of fakes) {
    expect(received.length).toBeLessThanOrEqual(2);
    expect(new Set(abouts(received)).size).toBe(60);
    expect(received.at(-1)?.items.every(({ state }) => state === IncidentState.CLOSED)).toBe(true);
  }
}, 120_000);

test("what needs a person is told with its plan and its command, again until it is answered, and then not", async () => {
  const ops = fakeChannel("ops");
  const { clock, cluster } = await begun([ops], ASK);
  await stall(clock, cluster, "web1");
  await wait(clock, 95);
  const [first, ...again] = ops.received;
  const [item] = first?.items ?? [];
  expect(item?.causes).toEqual([NoticeCause.OPENED, NoticeCause.NEEDS_PERSON]);
  expect(item?.plan.join("\n")).toContain("cut-link");
  expect(item?.command).toBe(`vigie approve ${item?.runId}`);
  expect(again.map(({ reason }) => reason)).toEqual(Array(3).fill(MessageReason.REMINDER)); // 15 min: a new plan each
  const waits = cluster.orchestrator().executor.open()[0];
  expect(again.at(-1)?.items[0]?.command).toMatch(/^vigie approve r-/);

  const service = createService(cluster.orchestrator());
  const approved = service.approveRun(
    { runId: waits?.id ?? "", planHash: waits?.plan?.hash ?? "", typedWord: "" },
    "anna",
  );
  await clock.advance(500);
  await approved;
  await clock.advance(MINUTE_MS);
  await wait(clock, 60);
  const after = ops.received.slice(4);
  expect(after.map(({ reason }) => reason)).toEqual([MessageReason.NEWS]);
  expect(after[0]?.items).toMatchObject([{ causes: [NoticeCause.CLOSED], state: IncidentState.CLOSED }]);
  expect(after[0]?.threads).toEqual([first?.id]); // one thread
});

test("an incident that is only observed proposes what to type", async () => {
  const ops = fakeChannel("ops");
  const { clock, cluster } = await begun([ops]);
  await clock.advance(30_000);
  const disk = diskOf(cluster.world, "web1");
  loseDisk(disk, endAt(disk, H2)!);
  await wait(clock, 3);
  const item = ops.received.flatMap(({ items }) => items).find(({ kind }) => kind === IncidentKind.DISKLESS);
  expect(item?.command).toMatch(/^vigie do rebuild-redundancy web1/);
});

test("while one receiver is down for an hour another hears everything, and then it hears all of it in order", async () => {
  const [ops, pager] = [fakeChannel("ops"), fakeChannel("pager")];
  const { clock, cluster } = await begun([ops, pager], ASK);
  pager.answers = "refuses";
  for (const name of ["web1", "web2", "web3"]) {
    await stall(clock, cluster, name);
    await wait(clock, 10);
  }
  const notifier = () => cluster.orchestrator().notifier.status();
  expect(notifier()).toMatchObject([
    { name: "ops", cannotDeliver: false },
    { name: "pager", cannotDeliver: true, waiting: 3, reason: "the receiver is down" },
  ]);
  expect(causesOf(ops.received, "channel pager")).toEqual([NoticeCause.CHANNEL_FAILS]);
  const alarms = cluster.log.filter(({ event }) => event === "notify.cannot-deliver");
  expect(alarms).toMatchObject([{ detail: { channel: "pager", alarm: true } }]);
  await wait(clock, 30);
  expect(pager.received).toEqual([]);

  pager.answers = "takes";
  await wait(clock, 15);
  const incidents = cluster.orchestrator().desk.open();
  for (const { id } of incidents)
    expect(causesOf(pager.received, id)).toEqual([NoticeCause.OPENED, NoticeCause.NEEDS_PERSON]);
  const firsts = [...new Set(abouts(pager.received))].filter((it) => it.startsWith("i-"));
  expect(firsts).toEqual(incidents.map(({ id }) => id).toSorted((a, b) => a.localeCompare(b)));
  expect(notifier()).toMatchObject([{}, { cannotDeliver: false, waiting: 0, reason: "" }]);
  expect(causesOf(ops.received, "channel pager")).toEqual([
    NoticeCause.CHANNEL_FAILS,
    NoticeCause.CHANNEL_DELIVERS,
  ]);
});

test("an orchestrator that is killed before it could send tells it in its next life, and once", async () => {
  const ops = fakeChannel("ops");
  const { clock, cluster } = await begun([ops], ASK);
  await stall(clock, cluster, "web1");
  const queued = () => cluster.orchestrator().notifier.status()[0]?.waiting === 1;
  expect(await clock.advanceUntil(queued, 30_000)).toBe(true);
  await clock.advance(1_000);
  cluster.killOrchestrator();
  await clock.advance(5_000);
  await cluster.startOrchestrator();
  await wait(clock, 20);
  expect(ops.received).toHaveLength(1);
});

test("one that is killed between a delivery and its note of it sends the same message again, under the same id", async () => {
  const ops = fakeChannel("ops");
  ops.answers = "lost";
  const { clock, cluster } = await begun([ops], ASK);
  await stall(clock, cluster, "web1");
  expect(await clock.advanceUntil(() => ops.received.length > 0, MINUTE_MS)).toBe(true);
  cluster.killOrchestrator();
  ops.answers = "takes";
  await cluster.startOrchestrator();
  await wait(clock, 20);
  const [first, second, ...others] = ops.received;
  expect(second).toEqual(first);
  expect(others).toEqual([]);
});

test("what was told is not told again by a restart", async () => {
  const ops = fakeChannel("ops");
  const { clock, cluster } = await begun([ops], ASK);
  await stall(clock, cluster, "web1");
  await wait(clock, 2);
  for (let n = 0; n < 3; n += 1) {
    cluster.killOrchestrator();
    await cluster.startOrchestrator();
    await wait(clock, 5);
  }
  expect(ops.received).toHaveLength(1);
});

test("when the master moves the old one falls silent, and the new one tells once what is still open", async () => {
  const told = new Map<string, FakeChannel>();
  const channels = (node: string) => {
    const fake = told.get(node) ?? fakeChannel("ops");
    told.set(node, fake);
    return [fake.channel];
  };
  const { clock, cluster } = await begun([], { ...ASK, channels });
  await stall(clock, cluster, "web1");
  await wait(clock, 2);
  const [old] = [...told.values()];
  expect(old?.received).toHaveLength(1);
  cluster.world.master = NEW_MASTER;
  await cluster.startOrchestrator();
  await wait(clock, 40);
  expect(old?.received).toHaveLength(1);
  const [first, ...reminders] = told.get(NEW_MASTER)?.received ?? [];
  expect(first?.items).toMatchObject([{ title: "web1.sim.example/0" }]);
  expect(reminders.map(({ reason }) => reason)).toEqual([MessageReason.REMINDER]);
});

test("a master that has lost the majority of its nodes still tells, and says that it may not act", async () => {
  const ops = fakeChannel("ops");
  const { clock, cluster } = await begun([ops]);
  await wait(clock, 1);
  for (const name of ["h2.sim.example", "h3.sim.example"]) cluster.killAgent(name);
  await wait(clock, 5);
  const [first] = ops.received;
  expect(first?.notLeading).toContain("not a majority");
  expect(first?.items.map(({ kind }) => kind)).toContain(IncidentKind.NODE_SILENT);
});

test("an orchestrator whose disk is full says so once, though it can keep nothing", async () => {
  const ops = fakeChannel("ops");
  let full = false;
  const store = (real: Store): Store => ({
    ...real,
    commit: async (changes) => {
      if (full) throw new VigieError("JOURNAL_BROKEN", "no space left on the disk");
      return real.commit(changes);
    },
  });
  const { clock, cluster } = await begun([ops], { ...ASK, seams: { store } });
  full = true;
  await stall(clock, cluster, "web1");
  await wait(clock, 20);
  expect(ops.received.map(({ items }) => items)).toMatchObject([
    [{ causes: [NoticeCause.STORE_BROKEN], summary: expect.stringContaining("no space left") }],
  ]);
});

test("a test message goes out at once, and says what the receiver answered or why there is no answer", async () => {
  const [ops, pager, lost] = [fakeChannel("ops"), fakeChannel("pager"), fakeChannel("lost")];
  const { clock, cluster } = await begun([ops, pager, lost]);
  pager.answers = "refuses";
  lost.answers = "lost";
  const service = createService(cluster.orchestrator());
  const answer = service.testChannels({ channel: "" });
  await clock.advance(9_000);
  expect((await answer).tests).toEqual([
    { name: "ops", type: "webhook", delivered: true, answer: "ok" },
    { name: "pager", type: "webhook", delivered: false, answer: "the receiver is down" },
    { name: "lost", type: "webhook", delivered: false, answer: "no answer within 8 s" },
  ]);
  expect(ops.received[0]?.reason).toBe(MessageReason.TEST);
  await expect(service.testChannels({ channel: "pgaer" })).rejects.toThrow("there are: ops, pager, lost");
});
