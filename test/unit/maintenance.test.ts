/** What people hear of planned work on a node of a simulated cluster: nothing of what is expected, all of what is not. */
import { createService } from "@vigie/orchestrator";
import {
  IncidentKind,
  IncidentState,
  IncidentVerb,
  NoticeCause,
  RunState,
  Severity,
  type Clock,
  type Message,
} from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { createSimCluster, type SimCluster, type SimOptions } from "../simulator/cluster.js";
import { endAt, loseDisk, startResync } from "../simulator/drbd-model.js";
import { fakeChannel, type FakeChannel } from "../simulator/fake-channel.js";
import { comeBack, goDown, watcherRuns } from "../simulator/reboot.js";
import { diskOf } from "../simulator/stages.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";
import { standAlone } from "../simulator/world.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const H1 = "h1.sim.example";
const H2 = "h2.sim.example";
const H3 = "h3.sim.example";
const PERSON = "anna";
const clusters: SimCluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.end();
});

interface Scene {
  readonly clock: VirtualClock;
  readonly cluster: SimCluster;
  readonly ops: FakeChannel;
}

async function begun(options: SimOptions = {}): Promise<Scene> {
  const clock = createVirtualClock();
  const ops = fakeChannel("ops");
  const cluster = await createSimCluster(clock, {
    channels: () => [ops.channel],
    inMemory: true,
    ...options,
  });
  clusters.push(cluster);
  await clock.advance(40_000);
  return { clock, cluster, ops };
}

/** What needs time to be answered: it passes meanwhile. */
async function answered<T>({ clock }: Scene, answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  await clock.advance(4_000);
  return answer;
}

function plan(scene: Scene, node: string, forMs: number) {
  const request = { node, forMs, reason: "firmware" };
  return answered(scene, createService(scene.cluster.orchestrator()).beginMaintenance(request, PERSON));
}

function end(scene: Scene, node: string) {
  const request = { node, reason: "" };
  return answered(scene, createService(scene.cluster.orchestrator()).endMaintenance(request, PERSON));
}

function say(scene: Scene, id: string, verb: IncidentVerb, forMs = 0) {
  const request = { id, verb, forMs, reason: "" };
  return answered(scene, createService(scene.cluster.orchestrator()).controlIncident(request, PERSON));
}

async function wait({ clock }: Scene, minutes: number): Promise<void> {
  for (let s = 0; s < minutes * 60; s += 2) await clock.leap(2_000);
}

const open = ({ cluster }: Scene) => cluster.orchestrator().desk.open();
const kinds = (messages: readonly Message[]): IncidentKind[] =>
  messages.flatMap(({ items }) => items.map(({ kind }) => kind));
const kindsOpen = (scene: Scene): IncidentKind[] => open(scene).map(({ kind }) => kind);
/** What there is of a node that is switched off; that its guests run nowhere is not known then. */
const AWAY = [IncidentKind.NODE_SILENT, IncidentKind.NODE_DEAD, IncidentKind.DEGRADED];
const causes = (messages: readonly Message[]): NoticeCause[] =>
  messages.flatMap(({ items }) => items.flatMap((it) => it.causes));

test("a planned reboot is heard of by nobody, and what was announced is in the audit log", async () => {
  const scene = await begun();
  const { cluster, ops } = scene;
  const { maintenance, unawareNodes, warnings } = await plan(scene, "h3", HOUR_MS);
  expect(maintenance).toMatchObject({ node: H3, person: PERSON });
  expect(unawareNodes).toEqual([]);
  expect(warnings).toEqual([`web3.sim.example runs there: gnt-node migrate ${H3}`]);
  goDown(cluster, H3);
  await wait(scene, 2);
  expect(new Set(kindsOpen(scene))).toEqual(new Set(AWAY));
  expect(open(scene).filter((it) => it.maintenance?.node !== H3)).toEqual([]);
  comeBack(cluster, H3);
  await wait(scene, 2); // Ganeti's watcher takes its time
  expect(new Set(kindsOpen(scene))).toEqual(new Set([IncidentKind.DEGRADED]));
  watcherRuns(cluster, H3);
  await wait(scene, 2);
  expect(open(scene)).toEqual([]);
  expect((await end(scene, "h3")).stillOpen).toEqual([]);
  await wait(scene, 3);
  expect(ops.received).toEqual([]);
  const audit = await cluster.orchestrator().store.audit(0, 1_000);
  const said = audit
    .filter(({ action }) => action.startsWith("maintenance."))
    .map((it) => `${it.actor} ${it.action} ${it.subject}`);
  expect(said).toEqual([`anna maintenance.begun ${H3}`, `anna maintenance.ended ${H3}`]);
});

test("a node that does not come back is told at the end of its maintenance, and its disks with it", async () => {
  const scene = await begun();
  const { cluster, ops } = scene;
  await plan(scene, "h3", 6 * MINUTE_MS);
  goDown(cluster, H3);
  await wait(scene, 5);
  expect(ops.received).toEqual([]);
  await wait(scene, 3);
  const [first] = ops.received;
  expect(new Set(kinds(ops.received))).toEqual(new Set(AWAY));
  expect(new Set(causes(ops.received))).toEqual(new Set([NoticeCause.STILL_OPEN]));
  expect(first?.items.find(({ kind }) => kind === IncidentKind.NODE_DEAD)?.command).toBe(
    `vigie do disable-dead-node ${H3}`,
  );
  const told = ops.received.length;
  await wait(scene, 5);
  expect(ops.received).toHaveLength(told);
});

test("one that a person ends while it is still sick is told at once", async () => {
  const scene = await begun();
  await plan(scene, "h3", HOUR_MS);
  goDown(scene.cluster, H3);
  await wait(scene, 5);
  const { stillOpen } = await end(scene, "h3");
  expect(stillOpen.map(({ kind }) => kind)).toContain(IncidentKind.NODE_DEAD);
  await wait(scene, 1);
  expect(kinds(scene.ops.received)).toContain(IncidentKind.NODE_DEAD);
});

test("nothing is planned against what is planned, and a plan that waited is withdrawn", async () => {
  const scene = await begun({ config: { policy: { node_dead: "ask" } } });
  const { cluster } = scene;
  goDown(cluster, H3);
  await wait(scene, 2);
  const waiting = () =>
    cluster
      .orchestrator()
      .executor.open()
      .filter(({ state }) => state === RunState.AWAITING_APPROVAL);
  expect(waiting()).toHaveLength(1);
  await plan(scene, "h3", 5 * MINUTE_MS);
  await wait(scene, 4);
  expect(waiting()).toEqual([]);
  expect(open(scene).map(({ state }) => state)).not.toContain(IncidentState.NEEDS_PERSON);
  await wait(scene, 2);
  expect(waiting()).toHaveLength(1);
  expect(causes(scene.ops.received.slice(1))).toContain(NoticeCause.STILL_OPEN);
});

test("while one node is away, what fails elsewhere is told as ever, and what is destructive counts the real world", async () => {
  const scene = await begun();
  const { cluster, ops } = scene;
  await plan(scene, "h3", HOUR_MS);
  goDown(cluster, H3);
  await wait(scene, 3);
  const disk = diskOf(cluster.world, "web1"); // on h1 and h2
  loseDisk(disk, endAt(disk, H2)!);
  await wait(scene, 2);
  expect(kinds(ops.received)).toEqual([IncidentKind.DISKLESS]);
  expect(ops.received[0]?.items[0]?.severity).toBe(Severity.CRITICAL);
});

test("the last copy of a disk that fails beside the node that is away is told", async () => {
  const scene = await begun();
  const { cluster, ops } = scene;
  await plan(scene, "h3", HOUR_MS);
  goDown(cluster, H3);
  await wait(scene, 3);
  const disk = diskOf(cluster.world, "web2"); // h2 serves it alone now
  loseDisk(disk, endAt(disk, H2)!);
  await wait(scene, 2);
  expect(kinds(ops.received)).toContain(IncidentKind.DISKLESS);
});

test("a link of another pair that is given up is told, whatever else is under maintenance", async () => {
  const scene = await begun();
  await plan(scene, "h3", HOUR_MS);
  standAlone(diskOf(scene.cluster.world, "web1"));
  await wait(scene, 2);
  expect(kinds(scene.ops.received)).toContain(IncidentKind.STANDALONE);
});

test("a stall of the resync after the reboot is healed as ever", async () => {
  const scene = await begun();
  const { clock, cluster } = scene;
  await plan(scene, "h3", HOUR_MS);
  const disk = diskOf(cluster.world, "web3");
  startResync(disk, 40_000);
  await clock.advance(5_000);
  disk.blackhole = "this-connection";
  await clock.advance(MINUTE_MS);
  expect(disk.blackhole).toBe("none");
});

test("the orchestrator that starts again tells nothing of what is expected, and all of it when the time is over", async () => {
  const scene = await begun();
  const { cluster, ops } = scene;
  await plan(scene, "h3", 10 * MINUTE_MS);
  goDown(cluster, H3);
  await wait(scene, 2);
  for (let n = 0; n < 2; n += 1) {
    cluster.killOrchestrator();
    await cluster.startOrchestrator();
    await wait(scene, 3);
  }
  expect(ops.received).toEqual([]);
  await wait(scene, 4);
  expect(kinds(ops.received)).toContain(IncidentKind.NODE_DEAD);
});

test("one that was down when the time was over tells it then", async () => {
  const scene = await begun();
  const { cluster, ops } = scene;
  await plan(scene, "h3", 5 * MINUTE_MS);
  goDown(cluster, H3);
  await wait(scene, 2);
  cluster.killOrchestrator();
  await wait(scene, 5);
  await cluster.startOrchestrator();
  await wait(scene, 3);
  expect(kinds(ops.received)).toContain(IncidentKind.NODE_DEAD);
});

test("the master moves, and its orchestrator knows of it: nobody is told before the end", async () => {
  const told = new Map<string, FakeChannel>();
  const channels = (node: string) => {
    const fake = told.get(node) ?? fakeChannel("ops");
    told.set(node, fake);
    return [fake.channel];
  };
  const scene = await begun({ channels });
  const { cluster } = scene;
  await plan(scene, "h3", 10 * MINUTE_MS);
  goDown(cluster, H3);
  await wait(scene, 2);
  cluster.world.master = H2;
  await cluster.startOrchestrator();
  await wait(scene, 5);
  const news = () => told.get(H2)?.received ?? [];
  expect(cluster.orchestrator().leader.epoch()).toBeGreaterThan(0);
  expect(open(scene).filter((it) => it.maintenance?.node !== H3)).toEqual([]);
  expect([...told.values()].flatMap(({ received }) => received)).toEqual([]);
  await wait(scene, 5);
  expect(kinds(news())).toContain(IncidentKind.NODE_DEAD);
});

/** The wall clock of the orchestrator, apart from the time that passes. */
function shifted(by: { ms: number }): SimOptions {
  return { seams: { clock: (clock: Clock) => ({ ...clock, wallUnixMs: () => clock.wallUnixMs() + by.ms }) } };
}

test.each([
  ["back by a year", -365 * 24 * HOUR_MS, 8],
  ["forward by a day", 24 * HOUR_MS, 1],
])("a clock that is set %s makes it no longer", async (_name, ms, overAfterMin) => {
  const by = { ms: 0 };
  const scene = await begun(shifted(by));
  await plan(scene, "h3", 8 * MINUTE_MS);
  goDown(scene.cluster, H3);
  await wait(scene, 1);
  by.ms = ms;
  await wait(scene, overAfterMin + 1);
  expect(kinds(scene.ops.received)).toContain(IncidentKind.NODE_DEAD);
});

const ASK = { config: { policy: { stalled_sync: "ask" } } };

async function stalled(scene: Scene): Promise<string> {
  const { clock, cluster } = scene;
  const disk = diskOf(cluster.world, "web1");
  startResync(disk, 40_000);
  await clock.advance(5_000);
  disk.blackhole = "this-connection";
  await wait(scene, 2);
  return open(scene)[0]?.id ?? "";
}

test("what is acknowledged is not repeated, says who has it, and its end is told", async () => {
  const scene = await begun(ASK);
  const { cluster, ops } = scene;
  const id = await stalled(scene);
  expect(ops.received).toHaveLength(1);
  const { incident } = await say(scene, id, IncidentVerb.ACKNOWLEDGE);
  expect(incident?.acknowledgement?.person).toBe(PERSON);
  await wait(scene, 35);
  expect(ops.received).toHaveLength(1);
  diskOf(cluster.world, "web1").blackhole = "none";
  await wait(scene, 10);
  expect(causes(ops.received.slice(1))).toEqual([NoticeCause.CLOSED]);
});

test("what is snoozed is quiet until then, comes back if it is still open, and is repeated from then on", async () => {
  const scene = await begun(ASK);
  const { ops } = scene;
  const id = await stalled(scene);
  await say(scene, id, IncidentVerb.SNOOZE, 45 * MINUTE_MS);
  await wait(scene, 44);
  expect(ops.received).toHaveLength(1);
  await wait(scene, 3);
  expect(causes(ops.received.slice(1))).toContain(NoticeCause.STILL_OPEN);
  const told = ops.received.length;
  await wait(scene, 31);
  expect(ops.received).toHaveLength(told + 1);
});

test("a snooze that a person takes back is over at once; an incident that is closed cannot be snoozed", async () => {
  const scene = await begun(ASK);
  const id = await stalled(scene);
  await say(scene, id, IncidentVerb.SNOOZE, HOUR_MS);
  await say(scene, id, IncidentVerb.WAKE);
  await wait(scene, 1);
  expect(causes(scene.ops.received.slice(1))).toContain(NoticeCause.STILL_OPEN);
  await expect(say(scene, id, IncidentVerb.WAKE)).rejects.toMatchObject({ code: "CONFLICT" });
  await expect(say(scene, id, IncidentVerb.SNOOZE, 1_000 * HOUR_MS)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
  await expect(say(scene, "i-none", IncidentVerb.SNOOZE, HOUR_MS)).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
});

test("who does not lead announces none; nobody is told less by it", async () => {
  const scene = await begun();
  for (const node of [H2, H3]) scene.cluster.killAgent(node);
  await wait(scene, 1);
  await expect(plan(scene, "h3", HOUR_MS)).rejects.toMatchObject({ code: "NOT_LEADING" });
  expect(scene.cluster.orchestrator().maintenance.on()).toEqual([]);
  expect(H1).toBe(scene.cluster.world.master);
});
