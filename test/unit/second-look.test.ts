/** What a second look found: what happens to a run that is ended, joined, raced, or approved for a world of then. */
import { createService } from "@vigie/orchestrator";
import { ControlRunRequest, PlanRunRequest, RunEventKind, RunState, RunVerb, type Run } from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { createSimCluster, type SimOptions } from "../simulator/cluster.js";
import { leave } from "../simulator/drbd-commands.js";
import { startResync, type DiskModel } from "../simulator/drbd-model.js";
import { gntCommand } from "../simulator/gnt-commands.js";
import { answered, begin, control, createPlay, waitingStep, type Play } from "../simulator/play.js";
import { diskOf, H1, H2, H3, STAGES } from "../simulator/stages.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import { nodeOf, powerOff, powerOn, standAlone } from "../simulator/world.js";

const OBSERVE = { policy: { stalled_sync: "observe" } };
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});
const stageOf = (name: string) => STAGES.find(({ runbook }) => runbook === name)!;

async function settled(options: SimOptions = {}) {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, options);
  ended.push(cluster.end);
  await clock.advance(40_000);
  const { world } = cluster;
  const service = () => createService(cluster.orchestrator());
  const soon = async <T>(answer: Promise<T>, ms = 2_000): Promise<T> => {
    answer.catch(() => undefined);
    await clock.advance(ms);
    return answer;
  };
  const plan = async (runbook: string, given: Record<string, string>, dryRun = false): Promise<Run> => {
    const parameters = Object.entries(given).map(([name, value]) => ({ name, value }));
    return (
      await soon(service().planRun(PlanRunRequest.create({ runbook, parameters, dryRun }), "anna"), 9_000)
    ).run;
  };
  const approve = ({ id, plan: made }: Run) =>
    service().approveRun({ runId: id, planHash: made?.hash ?? "", typedWord: made?.typedWord ?? "" }, "anna");
  const say = (runId: string, verb: RunVerb, reason = "") =>
    soon(service().controlRun(ControlRunRequest.create({ runId, verb, reason }), "anna"));
  const rows = async ({ id }: Run) => (await cluster.orchestrator().store.runsById(id))[0];
  const stop = (stopped: boolean) =>
    soon(service().setKillSwitch({ stopped, reason: "wait" }, "anna"), 1_000);
  const stall = async (...disks: DiskModel[]) => {
    for (const disk of disks) startResync(disk, 40_000);
    await clock.advance(5_000);
    for (const disk of disks) disk.blackhole = "this-connection";
  };
  /** Once, at the first row of this kind. */
  const at = (kind: RunEventKind, work: () => void) => {
    let done = false;
    cluster.orchestrator().subscribe(({ event }) => {
      if (done || event?.$case !== "run" || event.value.event?.kind !== kind) return;
      done = true;
      work();
    });
  };
  const person = (...args: string[]) => void gntCommand(world, nodeOf(world, H1), "gnt-instance", args);
  return { clock, cluster, world, soon, plan, approve, say, rows, stop, stall, at, person };
}

async function played(runbook: string): Promise<Play> {
  const play = await createPlay(stageOf(runbook));
  ended.push(play.cluster.end);
  await begin(play);
  return play;
}
async function abort(play: Play): Promise<void> {
  const service = createService(play.cluster.orchestrator());
  await answered(play, service.abortRun({ runId: play.runId, reason: "enough" }, "anna"));
}

test("an abort after a dead node's guests were started elsewhere does not set that node online again", async () => {
  const play = await played("disable-dead-node");
  await play.until("the failover", () => waitingStep(play).startsWith("relocate-"), 600);
  await abort(play);
  await play.pass(120);
  expect(nodeOf(play.cluster.world, H3).offline).toBe(true);
});

test("an abort after guests went back to a reinstated node does not set that node offline below them", async () => {
  const play = await played("reinstate-node");
  const { world } = play.cluster;
  await play.until("a guest on h3", () => nodeOf(world, H3).guests.size > 0, 1_200);
  await abort(play);
  await play.pass(60);
  expect(nodeOf(world, H3).offline).toBe(false);
});

test("a confirmed stop still holds after the master has moved (I33)", async () => {
  const { clock, cluster, stop, stall } = await settled();
  await stop(true);
  cluster.world.master = H2;
  await cluster.startOrchestrator();
  await clock.advance(40_000);
  const before = cluster.requests.length;
  await stall(diskOf(cluster.world, "web1"));
  await clock.advance(60_000);
  expect(cluster.requests.slice(before).map(({ stepId }) => stepId)).toEqual([]);
});

test("one late reading of /proc/drbd does not make a plan forget that the survivor was cut off long before", async () => {
  let late = false;
  const { clock, cluster, world, plan } = await settled({
    config: OBSERVE,
    seams: {
      host: (host, node) => ({
        ...host,
        readFile: async (path) => {
          if (late && node.name === H3 && path === "/proc/drbd") throw new Error("late");
          return host.readFile(path);
        },
      }),
    },
  });
  world.partitions.add(`${H2} ${H3}`); // the guest on h2 writes on
  await clock.advance(100_000);
  cluster.killAgent(H2);
  nodeOf(world, H2).up = false;
  for (const disk of world.disks) for (const end of disk.ends) if (end.node === H2) leave({ disk, end });
  await clock.advance(60_000);
  expect((await plan("disable-dead-node", { node: "h2" }, true)).plan?.typedWord).toBe("lose-h2.sim.example");
  late = true;
  await clock.advance(1_500);
  late = false;
  await clock.advance(5_000);
  expect((await plan("disable-dead-node", { node: "h2" }, true)).plan?.typedWord).toBe("lose-h2.sim.example");
});

test("a plan approved while the policy's own run for the same disk is being written down is not at work beside it (I9)", async () => {
  let onPolicy: () => void = () => undefined;
  const { clock, cluster, world, plan, approve, stall } = await settled({
    seams: {
      store: (store) => ({
        ...store,
        commit: async (changes) => {
          const own = changes.some(
            (c) => c.record === "audit" && c.audit.action === "run.approved" && c.audit.actor === "policy",
          );
          if (own) onPolicy();
          return store.commit(changes);
        },
      }),
    },
  });
  const run = await plan("relocate-secondaries", { node: "h2" });
  onPolicy = () => void approve(run).catch(() => undefined);
  await stall(diskOf(world, "web1"));
  let together = 0;
  for (let i = 0; i < 400; i += 1) {
    await clock.advance(100);
    const states = cluster
      .orchestrator()
      .executor.open()
      .map(({ state }) => state);
    if (states.filter((s) => s === RunState.RUNNING || s === RunState.WAITING).length > 1) together += 1;
  }
  expect(together).toBe(0);
});

test("a run that ends does not let Ganeti's watcher go on while another run needs it paused (I31)", async () => {
  const { clock, cluster, world, plan, approve, soon } = await settled({ config: OBSERVE });
  const pass = (seconds: number) => clock.advance(seconds * 1_000);
  const until = async (_: string, holds: () => boolean, s: number) => {
    for (let i = 0; i < s * 10 && !holds(); i += 1) await clock.advance(100);
  };
  await stageOf("resolve-split-brain").prepare({ cluster, pass, until });
  const split = await plan("resolve-split-brain", { instance: "web1", victim: "h2" });
  const disk = nodeOf(world, H3).disks[0]?.name ?? "";
  const retire = await plan("retire-disk", { node: "h3", disk });
  await soon(approve(split), 300);
  await soon(approve(retire), 300);
  let unpaused = false;
  for (let i = 0; i < 1_000; i += 1) {
    await clock.advance(100);
    const own = cluster
      .orchestrator()
      .executor.open()
      .find(({ id }) => id === retire.id);
    const paused = own?.events.some(
      (e) => e.kind === RunEventKind.STEP_VERIFIED && e.stepId === "pause-watcher",
    );
    const over = own?.events.some(
      (e) => e.kind === RunEventKind.UNDO_STARTED || e.stepId === "continue-watcher",
    );
    if (paused === true && over !== true && world.ganeti.watcherPausedUntilUnixS === 0) unpaused = true;
  }
  expect(unpaused).toBe(false);
  expect(world.ganeti.watcherPausedUntilUnixS).toBe(0); // and the last one lets it go on
});

test.each([
  [RunVerb.CONFIRM, "pas encore éteint"],
  [RunVerb.CONFIRM, "h3 is not off"],
  [RunVerb.SKIP_STEP, "je ne sais pas"],
])("%s %j is no word for it that the node is switched off", async (verb, reason) => {
  const { clock, world, plan, approve, soon, say } = await settled({ config: OBSERVE });
  for (const peer of [H1, H2]) world.partitions.add(`${peer} ${H3}`);
  await clock.advance(60_000);
  const run = await plan("disable-dead-node", { node: "h3" });
  await soon(approve(run));
  await say(run.id, verb, reason).catch(() => undefined);
  await clock.advance(60_000);
  expect(nodeOf(world, H3).offline).toBe(false);
});

test("a stall that began while everything was stopped is healed after vigie go", async () => {
  const { clock, world, stop, stall } = await settled();
  await stop(true);
  const disk = diskOf(world, "web1");
  await stall(disk);
  await clock.advance(30_000);
  await stop(false);
  await clock.advance(1_800_000);
  expect(disk.blackhole).toBe("none");
});

test("of two links that stall at once the second waits for the first, and is healed too", async () => {
  const { clock, world, stall } = await settled({
    instances: 6,
    config: { policy: { per_node_every_s: 60 } },
  });
  const two = world.disks.filter(({ ends }) => ends.every(({ node }) => node !== H3)).slice(0, 2);
  await stall(...two);
  await clock.advance(1_800_000);
  expect(two.map(({ blackhole }) => blackhole)).toEqual(["none", "none"]);
});

test("a heal that sent nothing does not use up the disk's one heal of the hour", async () => {
  const { clock, cluster, world, stall, at } = await settled();
  let thaw: (() => void) | undefined;
  at(RunEventKind.APPROVED, () => (thaw = cluster.freeze("agent", H1)));
  const disk = diskOf(world, "web1");
  await stall(disk);
  await clock.advance(110_000);
  thaw?.();
  await clock.advance(120_000);
  expect(disk.blackhole).toBe("none");
});

test("after a paused resync goes on again, retry goes on with the wait, and does not ask for the world before the step", async () => {
  const { clock, world, plan, approve, soon, say, rows } = await settled({ config: OBSERVE });
  const run = await plan("relocate-secondaries", { node: "h2" });
  await soon(approve(run), 8_000);
  const { ends } = diskOf(world, "web1");
  for (const end of ends) end.paused = true;
  await clock.advance(3_800_000);
  expect((await rows(run))?.state).toBe(RunState.FROZEN);
  for (const end of ends) end.paused = false;
  await say(run.id, RunVerb.RETRY_STEP);
  await clock.advance(300_000);
  expect((await rows(run))?.state).toBe(RunState.SUCCEEDED);
});

test("another job of two minutes on the next instance is waited for, and freezes nothing", async () => {
  const { clock, world, plan, approve, soon, rows, at, person } = await settled({
    config: OBSERVE,
    instances: 4,
  });
  const run = await plan("relocate-secondaries", { node: "h2" });
  at(RunEventKind.STEP_WAITING, () => person("replace-disks", "-s", "--disks=0", "web4.sim.example"));
  for (const disk of world.disks) disk.rateKibPerS = 16_384;
  diskOf(world, "web4").rateKibPerS = 1_000;
  await soon(approve(run));
  await clock.advance(900_000);
  expect((await rows(run))?.state).toBe(RunState.SUCCEEDED);
});

test("a dead node that was back for an hour without its peer, and died again, is not failed over by the plan of then", async () => {
  const { clock, cluster, world, plan, approve, soon, say, rows } = await settled({ config: OBSERVE });
  const off = () => {
    cluster.killAgent(H2);
    powerOff(world, H2);
  };
  off();
  await clock.advance(60_000);
  const run = await plan("disable-dead-node", { node: "h2", relocate: "no" });
  expect(run.plan?.typedWord).toBe("h2.sim.example"); // nothing is lost
  await soon(approve(run));
  world.partitions.add(`${H2} ${H3}`);
  powerOn(world, H2); // its guest starts there again, and writes for an hour; its peer on h3 hears nothing of it
  cluster.startAgent(H2);
  await clock.advance(3_600_000);
  off();
  await clock.advance(60_000);
  expect((await plan("disable-dead-node", { node: "h2", relocate: "no" }, true)).plan?.typedWord).toBe(
    "lose-h2.sim.example",
  );
  await say(run.id, RunVerb.CONFIRM, "");
  await clock.advance(120_000);
  const events = (await rows(run))?.events ?? [];
  expect(
    events.filter(({ kind, stepId }) => kind === RunEventKind.STEP_INTENT && stepId.startsWith("failover")),
  ).toEqual([]);
});

test("a cleanup that would connect ends which went StandAlone since its approval is not sent (I8, F10)", async () => {
  const play = await createPlay(stageOf("cleanup-migration"));
  ended.push(play.cluster.end);
  let paused: Promise<void> | undefined;
  play.onRow = ({ kind }) => {
    if (kind === RunEventKind.APPROVED) paused ??= control(play, RunVerb.PAUSE, "wait");
  };
  await begin(play);
  await paused;
  standAlone(diskOf(play.cluster.world, "web1"));
  await play.pass(30);
  const before = play.cluster.requests.length;
  await control(play, RunVerb.RESUME);
  await play.pass(60);
  expect(play.cluster.requests.slice(before).map(({ stepId }) => stepId)).toEqual([]);
});

test("of two disks whose retirement was approved, the second is not set offline while the first is (I9)", async () => {
  const names = [1, 2, 3, 4].map((n) => `h${n}.sim.example`);
  const web = (name: string, primary: string, secondary: string) =>
    ({ name, template: "drbd", primary, secondary, sizesKib: [65_536], up: true }) as const;
  const instances = {
    nodes: names.map((name) => ({ name, group: "default", disks: 1 })),
    instances: [web("web1", names[0]!, names[1]!), web("web2", names[2]!, names[3]!)],
  };
  const { clock, world, plan, approve, soon } = await settled({ config: OBSERVE, instances });
  const runs = [
    await plan("retire-disk", { node: "h2", disk: "sda" }),
    await plan("retire-disk", { node: "h4", disk: "sda" }),
  ];
  expect(runs.map((run) => run.plan?.refusals)).toEqual([[], []]);
  const [first, second] = runs as [Run, Run];
  await soon(approve(first), 100);
  await expect(soon(approve(second), 100)).rejects.toMatchObject({ code: "CONFLICT" });
  let most = 0;
  for (let i = 0; i < 1_200; i += 1) {
    await clock.advance(100);
    const gone = [...world.nodes.values()].filter(({ disks }) =>
      disks.some(({ state }) => state === "offline"),
    );
    most = Math.max(most, gone.length);
  }
  expect(most).toBeLessThan(2);
});
