/** While a run checks, waits or was away, somebody else acts: what was approved is asked again before each send. */
import { createService } from "@vigie/orchestrator";
import {
  ControlRunRequest,
  PlanRunRequest,
  Role,
  RunEventKind,
  RunState,
  RunVerb,
  type Run,
} from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { createSimCluster, type SimCluster } from "../simulator/cluster.js";
import { leave } from "../simulator/drbd-commands.js";
import { startResync } from "../simulator/drbd-model.js";
import { gntCommand } from "../simulator/gnt-commands.js";
import {
  begin,
  control,
  createPlay,
  stateOf,
  told,
  toItsEnd,
  waitingStep,
  type Play,
} from "../simulator/play.js";
import { diskOf, H1, H2, H3, instanceOf, STAGES } from "../simulator/stages.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";
import { nodeOf } from "../simulator/world.js";

const OBSERVE = { policy: { stalled_sync: "observe" } };
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

async function playOf(runbook: string): Promise<Play> {
  const stage = STAGES.find((it) => it.runbook === runbook);
  if (stage === undefined) throw new Error(runbook);
  const play = await createPlay(stage);
  ended.push(play.cluster.end);
  return play;
}

interface Settled {
  readonly clock: VirtualClock;
  readonly cluster: SimCluster;
}

async function settled(options: { instances?: number } = {}): Promise<Settled> {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, { ...options, config: OBSERVE });
  ended.push(cluster.end);
  await clock.advance(40_000);
  return { clock, cluster };
}

/** What takes a moment to be answered is answered within two seconds. */
async function soon<T>({ clock }: Settled, answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  await clock.advance(2_000);
  return answer;
}

async function approved(on: Settled, runbook: string, parameters: Record<string, string>): Promise<Run> {
  const service = createService(on.cluster.orchestrator());
  const given = Object.entries(parameters).map(([name, value]) => ({ name, value }));
  const { run } = await soon(
    on,
    service.planRun(PlanRunRequest.create({ runbook, parameters: given }), "anna"),
  );
  expect(run.plan?.refusals).toEqual([]);
  const approval = { runId: run.id, planHash: run.plan?.hash ?? "", typedWord: run.plan?.typedWord ?? "" };
  await soon(on, service.approveRun(approval, "anna"));
  return run;
}

async function rows({ cluster }: Settled, { id }: Run): Promise<Run> {
  const [run] = await cluster.orchestrator().store.runsById(id);
  if (run === undefined) throw new Error(id);
  return run;
}

/** retire-disk, two seconds into the eleven for which it looks whether the disk may be set offline. */
async function checking(): Promise<Play> {
  const play = await playOf("retire-disk");
  await begin(play);
  await play.until("the look before the loss", () => waitingStep(play) === "set-disk-offline", 300);
  await play.pass(2);
  return play;
}

test.each([
  [
    "vigie stop is confirmed",
    async (play: Play) => {
      const stop = createService(play.cluster.orchestrator()).setKillSwitch(
        { stopped: true, reason: "wrong disk" },
        "anna",
      );
      await play.pass(0.5);
      await stop;
    },
  ],
  ["the run is paused", (play: Play) => control(play, RunVerb.PAUSE, "wait")],
  ["the run is taken over", (play: Play) => control(play, RunVerb.TAKE_OVER, "by hand")],
])("after %s while a step still checks, nothing of it is sent (I33)", async (_what, brake) => {
  const play = await checking();
  const before = play.cluster.requests.length;
  await brake(play);
  await play.pass(60);
  expect(play.cluster.requests.slice(before).map(({ stepId }) => stepId)).toEqual([]);
  expect(nodeOf(play.cluster.world, H2).disks.map(({ state }) => state)).toEqual(["running"]);
});

test("a stop holds when the master moves: the next orchestrator learns of it from the agents (I33)", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, {});
  ended.push(cluster.end);
  await clock.advance(12_000);
  const on = { clock, cluster };
  await soon(
    on,
    createService(cluster.orchestrator()).setKillSwitch({ stopped: true, reason: "the switch" }, "anna"),
  );
  cluster.world.master = H2;
  await cluster.startOrchestrator();
  await clock.advance(40_000);
  expect(cluster.orchestrator().leader.epoch()).toBeGreaterThan(0);
  expect(cluster.orchestrator().killSwitch.stopped()).toBe("anna: the switch");
  const disk = diskOf(cluster.world, "web1");
  startResync(disk, 40_000);
  await clock.advance(5_000);
  disk.blackhole = "this-connection";
  await clock.advance(40_000);
  expect(cluster.requests).toEqual([]);
  await soon(
    on,
    createService(cluster.orchestrator()).setKillSwitch({ stopped: false, reason: "done" }, "anna"),
  );
  await clock.advance(300_000);
  expect(cluster.orchestrator().killSwitch.stopped()).toBe("");
});

test("a guest that a person moves onto the node meanwhile keeps its disk: the run freezes, and says why (I15)", async () => {
  const play = await checking();
  const { world } = play.cluster;
  void gntCommand(world, nodeOf(world, H1), "gnt-instance", ["migrate", "-f", "web1.sim.example"]);
  await play.until("a person's word", () => stateOf(play) === RunState.FROZEN, 120);
  expect(nodeOf(world, H2).disks.map(({ state }) => state)).toEqual(["running"]);
  expect(told(play)).toContain(
    "web1.sim.example: its primary node is h2.sim.example, and was to be h1.sim.example",
  );
  expect(told(play)).toContain("plan it again: vigie do retire-disk");
});

test("the good copy is not given up when a person migrates the instance while an earlier one is copied (I15)", async () => {
  const on = await settled({ instances: 4 });
  const { world } = on.cluster;
  for (const disk of world.disks) disk.rateKibPerS = 2_048;
  const run = await approved(on, "relocate-secondaries", { node: "h2" });
  await on.clock.advance(4_000);
  void gntCommand(world, nodeOf(world, H1), "gnt-instance", ["migrate", "-f", "web4.sim.example"]);
  await on.clock.advance(600_000);
  expect((await rows(on, run)).state).toBe(RunState.FROZEN);
  expect(diskOf(world, "web4").ends.map(({ node }) => node)).toEqual([H1, H2]);
});

test("a node that came back before the person answered is not taken out, and its guest not started twice (I15)", async () => {
  const on = await settled();
  const { world } = on.cluster;
  for (const peer of [H1, H2]) {
    world.partitions.add(`${peer} ${H3}`);
    world.partitions.add(`${H3} ${peer}`);
  }
  await on.clock.advance(60_000);
  const run = await approved(on, "disable-dead-node", { node: "h3" });
  world.partitions.clear();
  await on.clock.advance(3_600_000);
  const service = createService(on.cluster.orchestrator());
  const yes = ControlRunRequest.create({ runId: run.id, verb: RunVerb.CONFIRM, reason: "" });
  await soon(on, service.controlRun(yes, "anna"));
  await on.clock.advance(120_000);
  const { state, events } = await rows(on, run);
  expect(state).toBe(RunState.FAILED);
  expect(events.at(-1)?.text).toContain("the agent of h3.sim.example reports: it is not dead");
  expect(nodeOf(world, H3).offline).toBe(false);
  expect(world.ganeti.jobs).toEqual([]);
});

test.each(["no, it still runs", "NON", "not yet", "don't"])(
  "a person who answers %j has not said yes",
  async (reason) => {
    const on = await settled();
    for (const peer of [H1, H2]) {
      on.cluster.world.partitions.add(`${peer} ${H3}`);
      on.cluster.world.partitions.add(`${H3} ${peer}`);
    }
    await on.clock.advance(60_000);
    const run = await approved(on, "disable-dead-node", { node: "h3" });
    const service = createService(on.cluster.orchestrator());
    const answer = ControlRunRequest.create({ runId: run.id, verb: RunVerb.CONFIRM, reason });
    await expect(soon(on, service.controlRun(answer, "anna"))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await on.clock.advance(60_000);
    expect(nodeOf(on.cluster.world, H3).offline).toBe(false);
  },
);

test("a guest that was stopped since its rebuild was approved gets no disks activated (I15)", async () => {
  const play = await playOf("rebuild-redundancy");
  const { world } = play.cluster;
  let done = false;
  play.onRow = ({ kind }) => {
    if (kind !== RunEventKind.APPROVED || done) return;
    done = true;
    for (const name of ["web1", "web2"]) {
      const instance = instanceOf(world, name);
      instance.adminState = "down";
      instance.serial += 1;
    }
    world.ganeti.configSerial += 1;
  };
  await begin(play);
  await play.pass(60);
  expect(told(play)).toContain("Ganeti wants it down, and wanted it up");
  expect(world.ganeti.jobs.filter(({ opcode }) => opcode.startsWith("INSTANCE_"))).toEqual([]);
});

test("an intent without a send that is found two hours later is never sent blindly: what a person did meanwhile is seen (I22)", async () => {
  const play = await playOf("retire-disk");
  const { cluster, clock } = play;
  let killed = false;
  play.onRow = ({ kind, stepId }) => {
    if (killed || kind !== RunEventKind.STEP_INTENT || !stepId.startsWith("migrate-")) return;
    killed = true;
    cluster.killOrchestrator();
  };
  await begin(play);
  await play.until("the kill", () => killed, 200);
  const before = cluster.requests.length;
  void gntCommand(cluster.world, nodeOf(cluster.world, H1), "gnt-instance", [
    "migrate",
    "-f",
    "web2.sim.example",
  ]);
  await clock.advance(7_200_000);
  await cluster.startOrchestrator();
  play.follow();
  await clock.advance(60_000);
  expect(cluster.requests.slice(before).every(({ recall }) => recall)).toBe(true);
  await control(play, RunVerb.RESUME);
  await play.until("the next step", () => waitingStep(play) === "set-disk-offline", 60);
  expect(told(play)).toContain(
    "migrate-1 step_verified: already so: web2.sim.example runs on h3.sim.example",
  );
  expect(
    cluster.requests.slice(before).filter(({ stepId, recall }) => stepId === "migrate-1" && !recall),
  ).toEqual([]);
});

test("a wait that can never come true says so, and after five minutes asks a person", async () => {
  const play = await playOf("reinstate-node");
  const { world } = play.cluster;
  for (const disk of world.disks) disk.rateKibPerS = 50;
  await begin(play);
  await play.until("web2 to be connected", () => waitingStep(play).startsWith("activate-1"), 300);
  const web2 = instanceOf(world, "web2");
  const disk = diskOf(world, "web2");
  disk.outOfSyncKib = 600_000;
  await play.until("its resync", () => waitingStep(play) === "await-redundant-1", 300);
  await play.pass(10);
  web2.adminState = "down";
  web2.serial += 1;
  world.ganeti.configSerial += 1;
  for (const end of disk.ends) {
    nodeOf(world, end.node).guests.delete(web2.name);
    leave({ disk, end });
    end.configured = false;
    end.role = Role.SECONDARY;
  }
  await play.pass(20);
  const [open] = play.cluster.orchestrator().executor.open();
  expect(open?.progress?.text).toContain("is not active, and Ganeti wants web2.sim.example down");
  expect(await toItsEnd(play, 330)).toBe(RunState.FROZEN);
});

test("a plan that wants a typed word is never approved by policy, whatever the kind is set to", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, { config: { policy: { node_dead: "auto" } } });
  ended.push(cluster.end);
  await clock.advance(12_000);
  cluster.killAgent(H3);
  nodeOf(cluster.world, H3).up = false;
  for (const disk of cluster.world.disks)
    for (const end of disk.ends) if (end.node === H3) leave({ disk, end });
  await clock.advance(90_000);
  const open = cluster.orchestrator().executor.open();
  expect(open.map(({ plan, approvedBy }) => [plan?.runbook, approvedBy])).toEqual([
    ["disable-dead-node", ""],
  ]);
});

test("an agent that starts again between plan and cut is waited for: its count of stillness begins anew", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, {});
  ended.push(cluster.end);
  await clock.advance(12_000);
  const disk = diskOf(cluster.world, "web1");
  startResync(disk, 40_000);
  await clock.advance(5_000);
  disk.blackhole = "this-connection";
  let restarted = false;
  cluster.orchestrator().subscribe(({ event }) => {
    if (restarted || event?.$case !== "run" || event.value.event?.kind !== RunEventKind.APPROVED) return;
    restarted = true;
    cluster.killAgent(H2);
    cluster.startAgent(H2);
  });
  await clock.advance(60_000);
  expect(restarted).toBe(true);
  expect(cluster.orchestrator().executor.open()).toEqual([]);
  const [run] = await cluster.orchestrator().store.runs(false, 1);
  expect(run?.state).toBe(RunState.SUCCEEDED);
  expect(disk.blackhole).toBe("none");
});

test("a stop that an orchestrator without the lead takes, or that most nodes do not have, is not confirmed (I33)", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, {});
  ended.push(cluster.end);
  await clock.advance(12_000);
  const old = cluster.orchestrator();
  const stop = async (orchestrator: typeof old) => {
    const answer = createService(orchestrator).setKillSwitch({ stopped: true, reason: "wait" }, "anna");
    await clock.advance(4_000);
    return answer;
  };
  expect(await stop(old)).toEqual({
    stopped: true,
    confirmed: true,
    unconfirmedReason: "",
    unawareNodes: [],
  });
  cluster.world.partitions.add(`${H1} ${H2}`);
  cluster.world.partitions.add(`${H1} ${H3}`);
  await clock.advance(8_000);
  expect(await stop(old)).toMatchObject({ stopped: true, confirmed: false, unawareNodes: [H2, H3] });
});
