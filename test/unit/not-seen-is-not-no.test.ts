/** What was not looked at is not known (I11): no undo follows from it, and no loss is kept from whoever approves. */
import { createService } from "@vigie/orchestrator";
import { IncidentState, IncidentVerb, Role, RunEventKind, RunState, RunVerb } from "@vigie/proto";
import { expect, test } from "vitest";
import { endAt, loseDisk } from "../simulator/drbd-model.js";
import { fakeChannel } from "../simulator/fake-channel.js";
import { kill } from "../simulator/ganeti-jobs.js";
import { removeVolume } from "../simulator/lvm-model.js";
import { readFails } from "../simulator/sim-host.js";
import { diskOf, H1, H2, H3 } from "../simulator/stages.js";
import { nodeOf, powerOff, volumeNames } from "../simulator/world.js";
import { OBSERVE, onePair, settled, type Acting } from "./acting.js";

const MINUTE_MS = 60_000;

const sentBy = ({ cluster }: Acting): string[] =>
  cluster.requests.filter(({ recall }) => !recall).map(({ stepId }) => stepId);

/** h3 is dead, and a person has confirmed that it is switched off; `strike` comes once set-offline's job is in the queue. */
async function disabling(on: Acting, strike: () => void): Promise<string> {
  const { clock, cluster, world } = on;
  cluster.killAgent(H3);
  powerOff(world, H3);
  await clock.advance(MINUTE_MS);
  const run = await on.plan("disable-dead-node", { node: "h3" });
  await on.approve(run);
  await clock.advance(8_000);
  let struck = false;
  cluster.orchestrator().subscribe(({ event }) => {
    const row = event?.$case === "run" ? event.value.event : undefined;
    if (row?.kind !== RunEventKind.STEP_RESULT || row.stepId !== "set-offline" || struck) return;
    struck = true;
    strike();
  });
  const said = on.say(run.id, RunVerb.CONFIRM);
  said.catch(() => undefined); // the orchestrator may be gone before it answers
  await clock.advance(5_000);
  await clock.advanceUntil(() => struck, 30_000);
  expect(struck).toBe(true);
  return run.id;
}

test("nobody could be asked while a step's time went by: it is waited for, and nothing is taken back", async () => {
  const on = await settled({ config: OBSERVE });
  const { clock, cluster, world } = on;
  await disabling(on, () => cluster.killAgent(H1));
  await clock.advance(4 * MINUTE_MS);
  expect(nodeOf(world, H3).offline).toBe(true);
  cluster.startAgent(H1);
  await clock.advance(2 * MINUTE_MS);
  cluster.end();
  expect(sentBy(on)).not.toContain("set-online");
  expect(nodeOf(world, H3).offline).toBe(true);
});

test("a run that was left alone for long, and whose step has failed by then, takes nothing back that a person has done", async () => {
  const on = await settled({ config: OBSERVE });
  const { clock, cluster, world } = on;
  const id = await disabling(on, () => {
    cluster.killOrchestrator();
    for (const job of world.ganeti.jobs.filter(({ status }) => status !== "success")) kill(job);
  });
  on.types("gnt-node", "modify", "-O", "yes", "--auto-promote", "--submit", "--print-jobid", H3);
  await clock.advance(17 * MINUTE_MS);
  await cluster.startOrchestrator();
  await clock.advance(2 * MINUTE_MS);
  const [run] = await cluster.orchestrator().store.runsById(id);
  cluster.end();
  expect(sentBy(on)).not.toContain("set-online");
  expect(nodeOf(world, H3).offline).toBe(true);
  expect(run?.state).toBe(RunState.FROZEN);
});

test.each(["was there", "was away for a minute"])(
  "a guest wrote alone before its node died: the plan says what may be lost, and wants the word (the survivor's agent %s)",
  async (how) => {
    const on = await settled({ config: OBSERVE });
    const { clock, cluster, world } = on;
    if (how !== "was there") cluster.killAgent(H3);
    world.partitions.add(`${H2} ${H3}`);
    await clock.advance(MINUTE_MS);
    if (how !== "was there") cluster.startAgent(H3);
    cluster.killAgent(H2);
    powerOff(world, H2);
    world.partitions.clear();
    await clock.advance(45_000);
    const run = await on.plan("disable-dead-node", { node: "h2" });
    cluster.end();
    expect(run.plan?.notes.join()).toContain("MAY LOSE DATA");
    expect(run.plan?.typedWord).toBe("lose-h2.sim.example");
  },
);

test("a disk that a person had put out of use stays so when its retirement is given up", async () => {
  const on = await settled({ config: OBSERVE });
  const { clock, cluster, world } = on;
  const pv = nodeOf(world, H2).disks[0]?.pv;
  if (pv === undefined) throw new Error("h2 has no physical volume");
  on.types(
    "gnt-node",
    "modify-storage",
    "--allocatable",
    "no",
    "--submit",
    "--print-jobid",
    H2,
    "lvm-pv",
    pv.path,
  );
  readFails(nodeOf(world, H2), "sda");
  await clock.advance(40_000);
  const run = await on.plan("retire-disk", { node: "h2", disk: "sda" });
  await on.approve(run);
  await clock.advance(15_000);
  await on.abort(run.id);
  await clock.advance(MINUTE_MS);
  cluster.end();
  expect(pv.allocatable).toBe(false);
});

test("two Primaries are a person's, whichever incident the runbook is proposed for (I8)", async () => {
  const on = await settled({ instances: onePair(1), config: { policy: { guest_wrong_node: "auto" } } });
  const { clock, cluster, world } = on;
  for (const end of diskOf(world, "web1").ends) end.role = Role.PRIMARY;
  nodeOf(world, H1).guests.delete("web1.sim.example");
  nodeOf(world, H2).guests.add("web1.sim.example");
  await clock.advance(90_000);
  const runs = await cluster.orchestrator().store.runs(false, 5);
  cluster.end();
  expect(runs.filter(({ approvedBy }) => approvedBy === "policy")).toEqual([]);
});

test("a node that was not given its keys is not one that came back, though Ganeti has it online by then", async () => {
  const on = await settled({
    config: OBSERVE,
    seams: {
      host: (host, { name }) => ({
        ...host,
        run: async (command) => {
          if (name !== H1 || !command.file.endsWith("gnt-node") || command.args[0] !== "add")
            return host.run(command);
          await host.sleep(5_000);
          nodeOf(on.world, H3).offline = false;
          on.world.ganeti.configSerial += 1;
          const stderr = "Failure: command execution error:\nError distributing the keys to h3\n";
          return { end: "exited", exitCode: 1, stdout: "", stderr, truncated: false, durationMs: 5_000 };
        },
      }),
    },
  });
  const { clock, cluster, world } = on;
  for (const { name } of world.ganeti.instances.filter(({ primary }) => primary === H3)) {
    on.types("gnt-instance", "migrate", "-f", "--submit", "--print-jobid", name);
    await clock.advance(MINUTE_MS);
  }
  on.types("gnt-node", "modify", "-O", "yes", "--submit", "--print-jobid", H3);
  await clock.advance(20_000);
  await on.approve(await on.plan("reinstate-node", { node: "h3" }));
  await clock.advance(5 * MINUTE_MS);
  cluster.end();
  expect(sentBy(on)).toContain("readd-node");
  expect(sentBy(on)).not.toContain("rebalance");
});

test("one guest that is down can wait; that all guests of its node are down is told all the same", async () => {
  const mail = fakeChannel("mail");
  const on = await settled({ instances: onePair(6), config: OBSERVE, channels: () => [mail.channel] });
  const { clock, cluster, world } = on;
  nodeOf(world, H1).guests.delete("web1.sim.example");
  await clock.advance(12 * MINUTE_MS);
  const [incident] = cluster.orchestrator().desk.open();
  const snooze = {
    id: incident?.id ?? "",
    verb: IncidentVerb.SNOOZE,
    forMs: 86_400_000,
    reason: "it can wait",
  };
  const answer = createService(cluster.orchestrator()).controlIncident(snooze, "anna");
  await clock.advance(2_000);
  await answer;
  const told = mail.received.length;
  for (let n = 2; n <= 6; n += 1) nodeOf(world, H1).guests.delete(`web${n}.sim.example`);
  await clock.advance(20 * MINUTE_MS);
  cluster.end();
  expect(mail.received.length).toBeGreaterThan(told);
});

test("a dead disk took copies of two instances: both are made again, and not the first one alone", async () => {
  const on = await settled({ instances: 6, config: { policy: { missing_volume: "auto" } } });
  const { clock, cluster, world } = on;
  const lost = world.disks.filter(({ ends }) => ends[1].node === H2);
  expect(lost).toHaveLength(2);
  for (const disk of lost) {
    disk.rateKibPerS = 8_192;
    const end = endAt(disk, H2);
    if (end !== undefined) loseDisk(disk, end);
    for (const lvName of Object.values(volumeNames(disk))) removeVolume(nodeOf(world, H2), "kvmvg", lvName);
  }
  await clock.advance(20 * MINUTE_MS);
  const open = cluster.orchestrator().desk.open();
  const runs = await cluster.orchestrator().store.runs(false, 9);
  cluster.end();
  expect(runs.filter(({ state }) => state === RunState.SUCCEEDED).length).toBeGreaterThanOrEqual(1);
  expect(open.filter(({ state }) => state === IncidentState.HEALING)).toEqual([]);
});

test.each(["its volume is missing", "a disk below it fails"])(
  "an instance that its administrators want left alone is left alone, though the incident is its node's: %s",
  async (what) => {
    const on = await settled({
      instances: 3,
      config: { policy: { missing_volume: "auto", failing_disk: "auto" } },
    });
    const { clock, cluster, world } = on;
    for (const instance of world.ganeti.instances)
      Object.assign(instance, { tags: ["vigie:observe", "ganeti:watcher:autorepair:suspend"] });
    world.ganeti.configSerial += 1;
    await clock.advance(10_000);
    const disk = diskOf(world, "web1");
    const end = endAt(disk, H2);
    if (what === "a disk below it fails") readFails(nodeOf(world, H2), "sda");
    else if (end !== undefined) {
      loseDisk(disk, end);
      for (const lvName of Object.values(volumeNames(disk))) removeVolume(nodeOf(world, H2), "kvmvg", lvName);
    }
    await clock.advance(4 * MINUTE_MS);
    const runs = await cluster.orchestrator().store.runs(false, 5);
    cluster.end();
    expect(runs.filter(({ approvedBy }) => approvedBy === "policy")).toEqual([]);
  },
);

test("a person pauses Ganeti's watcher for a day while a run has it paused: the run's end does not end that", async () => {
  const on = await settled({ config: OBSERVE });
  const { clock, cluster, world } = on;
  readFails(nodeOf(world, H2), "sda");
  await clock.advance(20_000);
  await on.approve(await on.plan("retire-disk", { node: "h2", disk: "sda" }));
  await clock.advanceUntil(() => world.ganeti.watcherPausedUntilUnixS > 0, 60_000);
  const untilS = clock.wallUnixMs() / 1000 + 86_400;
  world.ganeti.watcherPausedUntilUnixS = untilS;
  await clock.advance(3 * MINUTE_MS);
  const open = cluster.orchestrator().executor.open();
  cluster.end();
  expect(open).toEqual([]);
  expect(world.ganeti.watcherPausedUntilUnixS).toBe(untilS);
});
