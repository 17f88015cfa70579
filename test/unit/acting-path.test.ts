/**
 * Between what was seen and what is done about it people, crashes and the world act. Each of these was found by playing
 * that against the acting path: what was taken back that was true by then, what was counted that was never done, and
 * what was taken for known though nobody had looked.
 */
import { createService } from "@vigie/orchestrator";
import { IncidentState, RunEventKind, RunState, RunVerb } from "@vigie/proto";
import { afterEach, describe, expect, test } from "vitest";
import type { SimOptions } from "../simulator/cluster.js";
import { endAt, loseDisk } from "../simulator/drbd-model.js";
import { kill } from "../simulator/ganeti-jobs.js";
import { diskOf, H1, H2, H3 } from "../simulator/stages.js";
import { nodeOf, powerOff, powerOn } from "../simulator/world.js";
import { OBSERVE, settled, type Acting } from "./acting.js";

const started: Acting[] = [];
afterEach(() => {
  for (const { cluster } of started.splice(0)) cluster.end();
});

async function begin(options: SimOptions = {}): Promise<Acting> {
  const acting = await settled(options);
  started.push(acting);
  return acting;
}

/** h3 is offline for Ganeti, its guests are elsewhere, and its disks are connected still. */
async function emptied(instances: number, options: SimOptions = {}): Promise<Acting> {
  const acting = await begin({ instances, config: OBSERVE, ...options });
  for (const { name, primary } of acting.world.ganeti.instances) {
    if (primary !== H3) continue;
    acting.types("gnt-instance", "migrate", "-f", "--submit", "--print-jobid", name);
    await acting.clock.advance(60_000);
  }
  acting.types("gnt-node", "modify", "-O", "yes", "--submit", "--print-jobid", H3);
  await acting.clock.advance(20_000);
  return acting;
}

const stateOf = ({ cluster }: Acting, runId: string): RunState | undefined =>
  cluster
    .orchestrator()
    .executor.open()
    .find(({ id }) => id === runId)?.state;

describe("what is taken back is asked of the world first", () => {
  test.each(["a person aborts", "a job of hbal's fails"])(
    "a node on which guests run again is not set offline below them when %s",
    async (how) => {
      const acting = await emptied(9);
      const { world, clock } = acting;
      const run = await acting.plan("reinstate-node", { node: "h3" });
      await acting.approve(run);
      await clock.advanceUntil(() => nodeOf(world, H3).guests.size > 0, 600_000);
      if (how === "a person aborts") await acting.abort(run.id);
      else {
        await clock.advanceUntil(() => world.ganeti.jobs.some(({ status }) => status === "running"), 30_000);
        for (const job of world.ganeti.jobs) if (job.status === "running") kill(job);
      }
      await clock.advance(400_000);
      expect(nodeOf(world, H3).guests.size).toBeGreaterThan(0);
      expect(nodeOf(world, H3).offline).toBe(false);
    },
  );

  test("a dead node is not set online again once a person has started its guest elsewhere", async () => {
    const acting = await begin({ config: OBSERVE });
    const { world, clock, cluster } = acting;
    cluster.killAgent(H3);
    powerOff(world, H3);
    await clock.advance(60_000);
    const run = await acting.plan("disable-dead-node", { node: "h3" });
    await acting.approve(run);
    await clock.advance(8_000);
    await acting.say(run.id, RunVerb.CONFIRM);
    await clock.advanceUntil(() => nodeOf(world, H3).offline, 60_000);
    acting.types("gnt-instance", "failover", "-f", "--submit", "--print-jobid", "web3.sim.example");
    await clock.advance(120_000);
    await acting.abort(run.id);
    await clock.advance(60_000);
    expect(nodeOf(world, H3).offline).toBe(true);
    expect(stateOf(acting, run.id)).toBe(RunState.FROZEN);
  });
});

describe("a node that was silent when it was planned", () => {
  async function away(acting: Acting, meanwhile: () => void, back: () => Promise<void>): Promise<void> {
    const { world, clock, cluster } = acting;
    cluster.killAgent(H3);
    powerOff(world, H3);
    await clock.advance(60_000);
    const run = await acting.plan("disable-dead-node", { node: "h3" });
    await acting.approve(run);
    await clock.advance(8_000);
    meanwhile();
    powerOn(world, H3);
    cluster.startAgent(H3);
    nodeOf(world, H3).guests.add("web3.sim.example"); // Ganeti's watcher started it, and it writes
    await clock.advance(300_000);
    cluster.killAgent(H3);
    powerOff(world, H3);
    await clock.advance(30_000);
    await back();
    await clock.advance(40_000);
    await acting.say(run.id, RunVerb.CONFIRM);
    await clock.advance(120_000);
    expect(nodeOf(world, H1).guests.has("web3.sim.example")).toBe(false);
    expect(acting.story.lines.join("\n")).toMatch(/has reported since this was planned/);
  }

  test("and lived again meanwhile is not failed over", async () => {
    const acting = await begin({ config: OBSERVE });
    await away(
      acting,
      () => undefined,
      async () => undefined,
    );
  });

  test("is not failed over when the orchestrator was away meanwhile: whether it lived again is not known (I11)", async () => {
    const acting = await begin({ config: OBSERVE });
    const { cluster, story } = acting;
    await away(
      acting,
      () => cluster.killOrchestrator(),
      async () => {
        await cluster.startOrchestrator();
        story.follow();
      },
    );
  });

  test("is not failed over when the master's clock was set back meanwhile", async () => {
    const jump = { ms: 0 };
    const acting = await begin({
      config: OBSERVE,
      seams: { clock: (clock) => ({ ...clock, wallUnixMs: () => clock.wallUnixMs() + jump.ms }) },
    });
    await away(
      acting,
      () => (jump.ms = -3_600_000),
      async () => undefined,
    );
  });
});

describe("the limits count what was done", () => {
  test("heals that a guard refused are none, and the next stall is healed", async () => {
    const acting = await begin({ instances: 12 });
    const { world, clock, cluster } = acting;
    for (const name of ["web1", "web2", "web3"]) {
      const disk = diskOf(world, name);
      const stop = cluster.orchestrator().subscribe(({ event }) => {
        if (event?.$case !== "run" || event.value.event?.kind !== RunEventKind.APPROVED) return;
        stop();
        disk.blackhole = "none"; // it moves again by itself, between the decision and the cut
        disk.outOfSyncKib -= 400;
      });
      await acting.stall(disk);
      await clock.advance(90_000);
    }
    const last = diskOf(world, "web10");
    await acting.stall(last);
    await clock.advance(120_000);
    expect(last.blackhole).toBe("none");
  });

  test("a first heal that a person has paused does not hold back the others between its nodes", async () => {
    const acting = await begin({ instances: 12 });
    const { world, clock, cluster } = acting;
    const disks = ["web1", "web4", "web7", "web10"].map((name) => diskOf(world, name));
    await acting.stall(...disks);
    await clock.advanceUntil(
      () => acting.story.lines.some((line) => line.includes("cut-link step verified")),
      60_000,
    );
    const [run] = cluster.orchestrator().executor.open();
    await acting.say(run?.id ?? "", RunVerb.PAUSE);
    await clock.advance(180_000);
    expect(disks.map(({ blackhole }) => blackhole)).toEqual(["none", "none", "none", "none"]);
  });
});

test("a stall behind a run that waits for a person is a person's, and says which run that is", async () => {
  const acting = await begin();
  const { world, clock, cluster } = acting;
  const disk = diskOf(world, "web1");
  await acting.stall(disk);
  await clock.advanceUntil(
    () => acting.story.lines.some((line) => line.includes("cut-link step verified")),
    60_000,
  );
  const [run] = cluster.orchestrator().executor.open();
  await acting.say(run?.id ?? "", RunVerb.PAUSE);
  await clock.advance(3_660_000); // the limit of one heal an hour for a disk is over
  await acting.stall(disk);
  await clock.advance(60_000);
  const [incident] = cluster.orchestrator().desk.open();
  expect(incident).toMatchObject({ state: IncidentState.NEEDS_PERSON });
  expect(incident?.decision.join("; ")).toContain(`waits for a person: vigie run show ${run?.id}`);
  await acting.abort(run?.id ?? "");
  await clock.advance(90_000);
  expect(disk.blackhole).toBe("none"); // and it is healed when that run is over
});

test("a plan that a person approves while others are withdrawn is not ended by that", async () => {
  const acting = await begin({ instances: 90, config: { policy: { diskless: "ask" } } });
  const { world, clock, cluster } = acting;
  const disks = Array.from({ length: 30 }, (_, n) => diskOf(world, `web${1 + 3 * n}`));
  const lose = (disk: (typeof disks)[number] | undefined): void => {
    const end = disk === undefined ? undefined : endAt(disk, H2);
    if (disk !== undefined && end !== undefined) loseDisk(disk, end);
  };
  for (const disk of disks) lose(disk);
  await clock.advance(90_000);
  const { executor, store } = cluster.orchestrator();
  const last = executor.open().findLast(({ state }) => state === RunState.AWAITING_APPROVAL);
  if (last === undefined) throw new Error("nothing waits for its approval");
  let answer = "";
  const stop = cluster.orchestrator().subscribe(({ event }) => {
    if (event?.$case !== "run" || event.value.event?.kind !== RunEventKind.ENDED) return;
    stop();
    void acting.approve(last).then(
      () => (answer = "approved"),
      () => (answer = "refused"),
    );
  });
  for (const disk of disks) Object.assign(endAt(disk, H2) ?? {}, { disk: endAt(disk, H1)?.disk });
  await clock.advance(30_000);
  const [run] = await store.runsById(last.id);
  expect(answer).not.toBe("");
  expect(answer === "approved" && run?.state === RunState.ABORTED).toBe(false);
  expect(cluster.log.filter(({ event }) => event === "tick.failed")).toEqual([]);
});

test("a guest that its node's agent does not understand is not taken for one that does not run there (I11)", async () => {
  const pids = "/var/run/ganeti/kvm-hypervisor/pid";
  const name = "web1.sim.example";
  const odd: Readonly<Record<string, string>> = {
    [`${pids}/${name}`]: "4711\n",
    "/proc/4711/cmdline": "/usr/local/bin/kvm-wrapper\0-x",
  };
  const acting = await begin({
    config: OBSERVE,
    seams: {
      host: (host, node) =>
        node.name !== H2
          ? host
          : {
              ...host,
              listFolder: async (path) => (path === pids ? [name] : host.listFolder(path)),
              readFile: async (path) => odd[path] ?? host.readFile(path),
            },
    },
  });
  const { world, clock } = acting;
  nodeOf(world, H1).guests.delete(name); // the process on h2 is this guest's
  await clock.advance(30_000);
  const run = await acting.plan("relocate-secondaries", { node: "h2" });
  if (run.plan?.refusals.length === 0) await acting.approve(run);
  await clock.advance(220_000);
  expect(world.ganeti.jobs.filter(({ opcode }) => opcode === "INSTANCE_REPLACE_DISKS")).toEqual([]);
});

test("while hbal moves guests no other run begins anything on an instance, and the run says for whom it waits", async () => {
  const acting = await emptied(18);
  const { world, clock, cluster } = acting;
  await acting.approve(await acting.plan("reinstate-node", { node: "h3" }));
  await clock.advanceUntil(() => nodeOf(world, H3).guests.size > 0, 600_000);
  const other = await acting.plan("relocate-secondaries", { node: "h2" });
  await acting.approve(other);
  let beside = 0;
  for (let second = 0; second < 300; second += 1) {
    const moves = acting.story.lines.some((line) => /r1 rebalance step verified/.test(line));
    if (moves) break;
    beside += cluster.requests.filter(({ runId }) => runId === other.id).length;
    await clock.advance(1_000);
  }
  expect(beside).toBe(0);
});

test("after a confirmed stop hbal puts no further job into the queue (I33)", async () => {
  const acting = await emptied(18);
  const { world, clock, cluster } = acting;
  const run = await acting.plan("reinstate-node", { node: "h3" });
  await acting.approve(run);
  await clock.advanceUntil(() => nodeOf(world, H3).guests.size > 0, 600_000);
  const ours = (): number[] =>
    world.ganeti.jobs
      .filter(({ reasons }) => reasons.some((reason) => reason.includes(run.id)))
      .map(({ id }) => id);
  const stop = createService(cluster.orchestrator()).setKillSwitch({ stopped: true, reason: "wait" }, "anna");
  await clock.advance(2_000);
  expect(await stop).toMatchObject({ stopped: true, confirmed: true });
  const before = ours();
  await clock.advance(300_000);
  expect(ours()).toEqual(before);
});

test("a run that a person aborts while hbal moves guests is not over before hbal is, though its orchestrator dies (I9)", async () => {
  const acting = await emptied(18);
  const { world, clock, cluster } = acting;
  const run = await acting.plan("reinstate-node", { node: "h3" });
  await acting.approve(run);
  await clock.advanceUntil(() => nodeOf(world, H3).guests.size > 0, 600_000);
  await acting.abort(run.id);
  expect(world.balancing.size).toBe(1);
  cluster.killOrchestrator();
  await clock.advance(1_000);
  await cluster.startOrchestrator();
  const isOver = async (): Promise<boolean> =>
    (await cluster.orchestrator().store.runsById(run.id))[0]?.state === RunState.ABORTED;
  let overBefore = false;
  while (world.balancing.size > 0) {
    overBefore ||= await isOver();
    await clock.advance(1_000);
  }
  await clock.advance(60_000);
  expect({ overBefore, isOver: await isOver() }).toEqual({ overBefore: false, isOver: true });
});

test("locks of a run at work hold when the clock is set forward", async () => {
  const jump = { ms: 0 };
  const acting = await emptied(9, {
    seams: {
      clock: (clock) => ({ ...clock, wallUnixMs: () => clock.wallUnixMs() + jump.ms }),
      host: (host) => ({
        ...host,
        run: async (command) => {
          if (command.file.endsWith("hbal")) await host.sleep(720_000, new AbortController().signal);
          return host.run(command);
        },
      }),
    },
  });
  await acting.approve(await acting.plan("reinstate-node", { node: "h3" }));
  await acting.clock.advanceUntil(
    () => acting.story.lines.some((line) => line.includes("rebalance step intent")),
    600_000,
  );
  const other = await acting.plan("relocate-secondaries", { node: "h3" });
  await expect(acting.approve(other)).rejects.toThrow("I9");
  jump.ms = 7_200_000;
  const again = await acting.plan("relocate-secondaries", { node: "h3" });
  await expect(acting.approve(again)).rejects.toThrow("I9");
});

describe("an approval grows old though the master's clock is set back (I32)", () => {
  async function setBack(): Promise<{ readonly acting: Acting; readonly jump: { ms: number } }> {
    const jump = { ms: 0 };
    const clock: NonNullable<SimOptions["seams"]>["clock"] = (of) => ({
      ...of,
      wallUnixMs: () => of.wallUnixMs() + jump.ms,
    });
    return { acting: await begin({ config: OBSERVE, seams: { clock } }), jump };
  }

  test("what was approved 20 minutes ago, and was held since, is not begun", async () => {
    const { acting, jump } = await setBack();
    const { clock, cluster } = acting;
    const run = await acting.plan("relocate-secondaries", { node: "h2" });
    const service = createService(cluster.orchestrator());
    const set = async (stopped: boolean): Promise<void> => {
      const answer = service.setKillSwitch({ stopped, reason: "look" }, "anna");
      await clock.advance(4_000);
      await answer;
    };
    const approved = service.approveRun(
      { runId: run.id, planHash: run.plan?.hash ?? "", typedWord: run.plan?.typedWord ?? "" },
      "anna",
    );
    await set(true);
    await approved;
    jump.ms = -3_600_000;
    await clock.advance(20 * 60_000);
    await set(false);
    await clock.advance(30_000);
    expect(cluster.requests.filter(({ runId }) => runId === run.id)).toEqual([]);
  });

  test("what was planned 20 minutes ago cannot be approved", async () => {
    const { acting, jump } = await setBack();
    const run = await acting.plan("relocate-secondaries", { node: "h2" });
    jump.ms = -3_600_000;
    await acting.clock.advance(20 * 60_000);
    await expect(acting.approve(run)).rejects.toThrow();
  });
});

test("a run that waited while its orchestrator was away for 20 minutes does not go on unasked", async () => {
  const acting = await begin({ instances: 9, config: OBSERVE });
  const { world, clock, cluster } = acting;
  for (const name of ["web1", "web4"]) {
    const disk = diskOf(world, name);
    const end = endAt(disk, H2);
    if (end !== undefined) loseDisk(disk, end);
    disk.rateKibPerS = 256;
  }
  await clock.advance(5_000);
  const run = await acting.plan("rebuild-redundancy", { target: "h2" });
  await acting.approve(run);
  await clock.advance(80_000);
  cluster.killOrchestrator();
  await clock.advance(1_200_000);
  const before = cluster.requests.length;
  await cluster.startOrchestrator();
  await clock.advance(90_000);
  expect(cluster.requests.slice(before)).toEqual([]);
  expect(stateOf(acting, run.id)).toBe(RunState.PAUSED);
});

test("a run that a stop has held in its middle for an hour waits for a person, and does not go on with the go", async () => {
  const acting = await begin({ instances: 9, config: OBSERVE });
  const { world, clock, cluster } = acting;
  for (const name of ["web1", "web4"]) {
    const disk = diskOf(world, name);
    const end = endAt(disk, H2);
    if (end !== undefined) loseDisk(disk, end);
  }
  await clock.advance(5_000);
  const run = await acting.plan("rebuild-redundancy", { target: "h2" });
  await acting.approve(run);
  const service = createService(cluster.orchestrator());
  const set = async (stopped: boolean): Promise<void> => {
    const answer = service.setKillSwitch({ stopped, reason: "look" }, "anna");
    await clock.advance(4_000);
    await answer;
  };
  await clock.advanceUntil(() => cluster.requests.some(({ stepId }) => stepId === "rebuild-1"), 60_000);
  await set(true);
  await clock.advance(4_500_000);
  expect(stateOf(acting, run.id)).toBe(RunState.FROZEN);
  await set(false);
  await clock.advance(30_000);
  expect(cluster.requests.filter(({ stepId }) => stepId === "rebuild-2")).toEqual([]);
});

test("a link is let back though its node says once that another one leads: it had not heard yet who the master is", async () => {
  const acting = await begin({ instances: 3, config: OBSERVE });
  const { world, clock, cluster } = acting;
  const disk = diskOf(world, "web1");
  await acting.stall(disk);
  await clock.advance(12_000);
  const run = await acting.plan("reset-stalled-sync", { instance: "web1" });
  await acting.approve(run);
  const cuts = (): number => [...world.nodes.values()].reduce((sum, node) => sum + node.cuts.size, 0);
  await clock.advanceUntil(() => cuts() === 1, 20_000);
  expect(cuts()).toBe(1);
  const { altered } = cluster.hooks;
  cluster.hooks.altered = (message) => {
    const { body } = message;
    if (body?.$case !== "actionRequest" || body.value.stepId !== "restore-link") return message;
    cluster.hooks.altered = altered;
    return { ...message, body: { ...body, value: { ...body.value, epoch: body.value.epoch - 1 } } };
  };
  await acting.abort(run.id);
  await clock.advance(8_000);
  expect(cuts()).toBe(0);
  expect(stateOf(acting, run.id)).toBeUndefined();
});
